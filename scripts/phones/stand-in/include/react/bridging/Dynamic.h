#pragma once
// Stands in front of React Native's header of the same name, the only one of its core that needs folly.

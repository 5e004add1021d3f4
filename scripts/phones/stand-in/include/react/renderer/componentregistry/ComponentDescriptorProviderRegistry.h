#pragma once

// Stands in for React Native's header of this name, which needs folly.

namespace facebook::react {
class ComponentDescriptorProviderRegistry;
}  // namespace facebook::react

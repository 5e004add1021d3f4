#pragma once

// The global `__layout`: frames by Yoga, for the headless phone (`rust/host/phone/layout.ts`, which says what it is
// for). All on the JS thread. An unknown tag is a JavaScript Error; style values that mean nothing are ignored, as
// React Native does.

#include <jsi/jsi.h>

namespace omnii::host {

void installLayout(facebook::jsi::Runtime& runtime);

}  // namespace omnii::host

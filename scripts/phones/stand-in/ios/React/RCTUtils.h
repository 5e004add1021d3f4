#pragma once

// Stands in for React Native's header of this name, which needs all of UIKit. What it declares is looked for in that one.

#import <UIKit/UIKit.h>

#import <React/RCTDefines.h>

RCT_EXTERN UIApplication *__nullable RCTSharedApplication(void);

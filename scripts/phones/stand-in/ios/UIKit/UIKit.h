#pragma once

// Stands in for Apple's UIKit; see the stand-in for Foundation.

#import <Foundation/Foundation.h>

NS_ASSUME_NONNULL_BEGIN

typedef NSUInteger UIBackgroundTaskIdentifier;
FOUNDATION_EXPORT const UIBackgroundTaskIdentifier UIBackgroundTaskInvalid;
FOUNDATION_EXPORT NSNotificationName const UIApplicationDidEnterBackgroundNotification;
FOUNDATION_EXPORT NSNotificationName const UIApplicationWillEnterForegroundNotification;

@interface UIResponder : NSObject
@end
@interface UIView : UIResponder
@end

// `sharedApplication` is left out: app extensions may not use it, so that a pod that does is not built for them.
@interface UIApplication : UIResponder
- (UIBackgroundTaskIdentifier)beginBackgroundTaskWithName:(nullable NSString *)taskName
                                        expirationHandler:(void (^_Nullable)(void))handler;
- (void)endBackgroundTask:(UIBackgroundTaskIdentifier)identifier;
@end

NS_ASSUME_NONNULL_END

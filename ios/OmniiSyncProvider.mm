// The part of the module that only iOS can do: the directory for databases, with its protection and backup, and a little time
// to let go of files when the app goes to the background. The rest is in cpp/.
//
// Info.plist: OmniiSyncExcludeFromBackup (boolean, default NO); OmniiSyncFileProtection: "none", "complete",
// "completeUnlessOpen" or "completeUntilFirstUserAuthentication" (the default, so that syncing in the background works).

#import "OmniiSyncProvider.h"

#import <UIKit/UIKit.h>

#include <stdlib.h>

#include <memory>

#include "OmniiSyncModule.h"

static NSFileProtectionType OmniiSyncProtection(void)
{
  NSString *name = [NSBundle.mainBundle objectForInfoDictionaryKey:@"OmniiSyncFileProtection"];
  if ([name isEqual:@"none"]) {
    return NSFileProtectionNone;
  }
  if ([name isEqual:@"complete"]) {
    return NSFileProtectionComplete;
  }
  if ([name isEqual:@"completeUnlessOpen"]) {
    return NSFileProtectionCompleteUnlessOpen;
  }
  return NSFileProtectionCompleteUntilFirstUserAuthentication;
}

/// Makes `Application Support/omnii-sync` and tells the engine, which reads the environment, that databases live there.
static void OmniiSyncPrepareDirectory(void)
{
  NSFileManager *files = NSFileManager.defaultManager;
  NSURL *support = [files URLForDirectory:NSApplicationSupportDirectory
                                 inDomain:NSUserDomainMask
                        appropriateForURL:nil
                                   create:YES
                                    error:nil];
  NSURL *directory = [support URLByAppendingPathComponent:@"omnii-sync" isDirectory:YES];
  if (directory == nil) {
    return;
  }
  NSDictionary *attributes = @{NSFileProtectionKey : OmniiSyncProtection()};
  [files createDirectoryAtURL:directory withIntermediateDirectories:YES attributes:attributes error:nil];
  // The attributes above count for a new directory only. Files made in it inherit its protection.
  [files setAttributes:attributes ofItemAtPath:directory.path error:nil];
  NSNumber *excluded = [NSBundle.mainBundle objectForInfoDictionaryKey:@"OmniiSyncExcludeFromBackup"];
  [directory setResourceValue:@([excluded isKindOfClass:NSNumber.class] && excluded.boolValue)
                       forKey:NSURLIsExcludedFromBackupKey
                        error:nil];
  setenv("OMNII_SYNC_DIRECTORY", directory.fileSystemRepresentation, 1);
}

@implementation OmniiSyncProvider {
  UIBackgroundTaskIdentifier _task;
}

- (instancetype)init
{
  if (self = [super init]) {
    _task = UIBackgroundTaskInvalid;
    OmniiSyncPrepareDirectory();
    NSNotificationCenter *center = NSNotificationCenter.defaultCenter;
    [center addObserver:self
               selector:@selector(holdOn)
                   name:UIApplicationDidEnterBackgroundNotification
                 object:nil];
    [center addObserver:self selector:@selector(letGo) name:UIApplicationWillEnterForegroundNotification object:nil];
  }
  return self;
}

- (std::shared_ptr<facebook::react::TurboModule>)getTurboModule:
    (const facebook::react::ObjCTurboModule::InitParams &)params
{
  return std::make_shared<facebook::react::OmniiSyncModule>(params.jsInvoker);
}

/// JavaScript calls `prepareForSuspend` when the app goes to the background, which ends within a second or two. Without this
/// iOS may stop the process first, and ends processes that it finds with a lock on a file.
- (void)holdOn
{
  [self letGo];
  UIApplication *application = UIApplication.sharedApplication;
  _task = [application beginBackgroundTaskWithName:@"OmniiSync"
                                 expirationHandler:^{
                                   [self letGo];
                                 }];
  UIBackgroundTaskIdentifier mine = _task;
  dispatch_after(dispatch_time(DISPATCH_TIME_NOW, 5 * NSEC_PER_SEC), dispatch_get_main_queue(), ^{
    if (self->_task == mine) {
      [self letGo];
    }
  });
}

- (void)letGo
{
  if (_task != UIBackgroundTaskInvalid) {
    [UIApplication.sharedApplication endBackgroundTask:_task];
    _task = UIBackgroundTaskInvalid;
  }
}

@end

// The part of the module that only iOS can do: the directory for databases, with its protection and backup, and a little time
// to let go of files when the app goes to the background. The rest is in cpp/.
//
// Info.plist: OmniiSyncExcludeFromBackup (boolean, default NO); OmniiSyncFileProtection: "none", "complete",
// "completeUnlessOpen" or "completeUntilFirstUserAuthentication" (the default, so that syncing in the background works).
//
// React Native makes one of these when the first module is asked for, on whatever thread that is, and keeps it as long as the
// process lives, over reloads, too. What goes wrong is logged, without paths, and ends nothing: if the directory is unusable the
// opening of a database fails, and says so to the app.

#import "OmniiSyncProvider.h"

#import <React/RCTUtils.h>
#import <UIKit/UIKit.h>

#include <stdlib.h>

#include <memory>

#include "OmniiSyncModule.h"

static const int64_t OmniiSyncHoldSeconds = 5;

static void OmniiSyncReport(NSString *what, NSError *error)
{
  NSLog(@"OmniiSync: %@ (%@ %ld)", what, error.domain, (long)error.code);
}

static NSFileProtectionType OmniiSyncProtection(void)
{
  id name = [NSBundle.mainBundle objectForInfoDictionaryKey:@"OmniiSyncFileProtection"];
  if ([name isEqual:@"none"]) {
    return NSFileProtectionNone;
  }
  if ([name isEqual:@"complete"]) {
    return NSFileProtectionComplete;
  }
  if ([name isEqual:@"completeUnlessOpen"]) {
    return NSFileProtectionCompleteUnlessOpen;
  }
  if (name != nil && ![name isEqual:@"completeUntilFirstUserAuthentication"]) {
    NSLog(@"OmniiSync: OmniiSyncFileProtection has an unknown value; completeUntilFirstUserAuthentication is used");
  }
  return NSFileProtectionCompleteUntilFirstUserAuthentication;
}

/// Of the directory, whose new files inherit it, and of the files that are there: made by an earlier version of the app, they
/// have the protection which that one asked for.
static void OmniiSyncProtect(NSFileManager *files, NSString *directory)
{
  NSDictionary<NSFileAttributeKey, id> *attributes = @{NSFileProtectionKey : OmniiSyncProtection()};
  NSError *error = nil;
  NSArray<NSString *> *names = [files contentsOfDirectoryAtPath:directory error:&error];
  if (names == nil) {
    OmniiSyncReport(@"the directory for databases could not be read", error);
    return;
  }
  BOOL done = [files setAttributes:attributes ofItemAtPath:directory error:&error];
  for (NSString *name in names) {
    NSString *path = [directory stringByAppendingPathComponent:name];
    done = [files setAttributes:attributes ofItemAtPath:path error:&error] && done;
  }
  if (!done) {
    OmniiSyncReport(@"the protection of the databases could not be set", error);
  }
}

/// Makes `Application Support/omnii-sync` and tells the engine, which reads the environment, that databases live there.
static void OmniiSyncPrepareDirectory(void)
{
  NSFileManager *files = NSFileManager.defaultManager;
  NSError *error = nil;
  NSURL *support = [files URLForDirectory:NSApplicationSupportDirectory
                                 inDomain:NSUserDomainMask
                        appropriateForURL:nil
                                   create:YES
                                    error:&error];
  NSURL *directory = [support URLByAppendingPathComponent:@"omnii-sync" isDirectory:YES];
  NSString *path = directory.path;
  if (path == nil) {
    OmniiSyncReport(@"there is no directory for databases", error);
    return;
  }
  // Before anything can fail: without it the engine would look for a directory that iOS does not have.
  setenv("OMNII_SYNC_DIRECTORY", path.fileSystemRepresentation, 1);
  if (![files createDirectoryAtURL:directory withIntermediateDirectories:YES attributes:nil error:&error]) {
    OmniiSyncReport(@"the directory for databases could not be made", error);
    return;
  }
  OmniiSyncProtect(files, path);
  id excluded = [NSBundle.mainBundle objectForInfoDictionaryKey:@"OmniiSyncExcludeFromBackup"];
  BOOL exclude = [excluded isKindOfClass:NSNumber.class] && [excluded boolValue];
  if (![directory setResourceValue:@(exclude) forKey:NSURLIsExcludedFromBackupKey error:&error]) {
    OmniiSyncReport(@"whether the databases are backed up could not be set", error);
  }
}

@implementation OmniiSyncProvider {
  // Main thread only, where UIKit posts its notifications and calls expiration handlers.
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
  // Nil in an app extension, which has no such notification either.
  _task = [RCTSharedApplication() beginBackgroundTaskWithName:@"OmniiSync"
                                            expirationHandler:^{
                                              [self letGo];
                                            }];
  UIBackgroundTaskIdentifier mine = _task;
  dispatch_after(dispatch_time(DISPATCH_TIME_NOW, OmniiSyncHoldSeconds * (int64_t)NSEC_PER_SEC), dispatch_get_main_queue(), ^{
    // Not one of a later visit to the background.
    if (self->_task == mine) {
      [self letGo];
    }
  });
}

- (void)letGo
{
  if (_task != UIBackgroundTaskInvalid) {
    [RCTSharedApplication() endBackgroundTask:_task];
    _task = UIBackgroundTaskInvalid;
  }
}

@end

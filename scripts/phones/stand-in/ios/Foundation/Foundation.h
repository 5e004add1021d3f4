#pragma once

// Stands in for Apple's Foundation and what comes with it: what ios/ and the headers of React Native that it includes use, with
// Apple's names, types and nullability. It makes nothing compile that Apple's would refuse, and it holds nothing else: a name that
// is missing here has to be looked up in Apple's documentation and added.

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#define NS_ASSUME_NONNULL_BEGIN _Pragma("clang assume_nonnull begin")
#define NS_ASSUME_NONNULL_END _Pragma("clang assume_nonnull end")
#define NS_DESIGNATED_INITIALIZER __attribute__((objc_designated_initializer))
#define NS_REQUIRES_SUPER __attribute__((objc_requires_super))
#define NS_FORMAT_FUNCTION(format_, first) __attribute__((format(__NSString__, format_, first)))
// With a name, and without one.
#define STAND_IN_NAMED_ENUM(type, name) enum name : type name; enum name : type
#define STAND_IN_ENUM(type) enum : type
#define STAND_IN_WHICH(one, two, which, ...) which
#define NS_ENUM(...) STAND_IN_WHICH(__VA_ARGS__, STAND_IN_NAMED_ENUM, STAND_IN_ENUM, )(__VA_ARGS__)
#define NS_OPTIONS(type, name) STAND_IN_NAMED_ENUM(type, name)
// Clang knows this one where Apple’s systems are the target.
#define __nullable _Nullable
#define __deprecated_msg(text) __attribute__((deprecated(text)))
#ifdef __cplusplus
#define FOUNDATION_EXTERN extern "C"
#else
#define FOUNDATION_EXTERN extern
#endif
#define FOUNDATION_EXPORT FOUNDATION_EXTERN

typedef bool BOOL;
#ifdef __cplusplus
#define nil __null
#else
#define nil ((void *)0)
#endif
#define YES ((BOOL)1)
#define NO ((BOOL)0)
typedef long NSInteger;
typedef unsigned long NSUInteger;
typedef double NSTimeInterval;
typedef double CGFloat;
typedef struct _NSZone NSZone;

#define NSEC_PER_SEC 1000000000ull

@class NSData, NSError, NSInvocation, NSString, NSURL, NSURLQueryItem, NSURLRequest, Protocol;

@protocol NSObject
- (BOOL)isEqual:(id _Nullable)object;
- (BOOL)isKindOfClass:(Class _Nonnull)aClass;
- (BOOL)conformsToProtocol:(Protocol *_Nonnull)aProtocol;
- (BOOL)respondsToSelector:(SEL _Nonnull)aSelector;
@end

__attribute__((objc_root_class))
@interface NSObject <NSObject>
+ (instancetype _Nonnull)alloc;
+ (instancetype _Nonnull)new;
+ (Class _Nonnull)class;
- (instancetype _Nonnull)init;
- (Class _Nonnull)class;
@end

NS_ASSUME_NONNULL_BEGIN

@protocol NSCopying
- (id)copyWithZone:(nullable NSZone *)zone;
@end

// What `for (… in …)` needs.
typedef struct {
  unsigned long state;
  id __unsafe_unretained _Nullable *_Nullable itemsPtr;
  unsigned long *_Nullable mutationsPtr;
  unsigned long extra[5];
} NSFastEnumerationState;

@protocol NSFastEnumeration
- (NSUInteger)countByEnumeratingWithState:(NSFastEnumerationState *)state
                                  objects:(id __unsafe_unretained _Nullable[_Nonnull])buffer
                                    count:(NSUInteger)len;
@end

@interface NSString : NSObject <NSCopying>
@property (readonly) const char *fileSystemRepresentation;
- (NSString *)stringByAppendingPathComponent:(NSString *)str;
@end

@interface NSNumber : NSObject <NSCopying>
@property (readonly) BOOL boolValue;
+ (NSNumber *)numberWithBool:(BOOL)value;
+ (NSNumber *)numberWithInt:(int)value;
@end

@interface NSArray<__covariant ObjectType> : NSObject <NSCopying, NSFastEnumeration>
@end
@interface NSMutableArray<ObjectType> : NSArray <ObjectType>
@end

@interface NSDictionary<__covariant KeyType, __covariant ObjectType> : NSObject <NSCopying>
+ (instancetype)dictionaryWithObjects:(const ObjectType _Nonnull[_Nullable])objects
                              forKeys:(const KeyType<NSCopying> _Nonnull[_Nullable])keys
                                count:(NSUInteger)cnt;
@end
@interface NSMutableDictionary<KeyType, ObjectType> : NSDictionary <KeyType, ObjectType>
@end

typedef NSString *NSErrorDomain;
@interface NSError : NSObject <NSCopying>
@property (readonly, copy) NSErrorDomain domain;
@property (readonly) NSInteger code;
@end

@interface NSException : NSObject
@end

typedef NSString *NSURLResourceKey;
@interface NSURL : NSObject <NSCopying>
@property (nullable, readonly, copy) NSString *path;
- (nullable NSURL *)URLByAppendingPathComponent:(NSString *)pathComponent isDirectory:(BOOL)isDirectory;
- (BOOL)setResourceValue:(nullable id)value forKey:(NSURLResourceKey)key error:(NSError **)error;
@end
FOUNDATION_EXPORT NSURLResourceKey const NSURLIsExcludedFromBackupKey;

@interface NSBundle : NSObject
@property (class, readonly, strong) NSBundle *mainBundle;
- (nullable id)objectForInfoDictionaryKey:(NSString *)key;
@end

typedef NS_ENUM(NSUInteger, NSSearchPathDirectory) { NSApplicationSupportDirectory = 14 };
typedef NS_OPTIONS(NSUInteger, NSSearchPathDomainMask) { NSUserDomainMask = 1 };
typedef NSString *NSFileAttributeKey;
typedef NSString *NSFileProtectionType;
FOUNDATION_EXPORT NSFileAttributeKey const NSFileProtectionKey;
FOUNDATION_EXPORT NSFileProtectionType const NSFileProtectionNone;
FOUNDATION_EXPORT NSFileProtectionType const NSFileProtectionComplete;
FOUNDATION_EXPORT NSFileProtectionType const NSFileProtectionCompleteUnlessOpen;
FOUNDATION_EXPORT NSFileProtectionType const NSFileProtectionCompleteUntilFirstUserAuthentication;

@interface NSFileManager : NSObject
@property (class, readonly, strong) NSFileManager *defaultManager;
- (nullable NSURL *)URLForDirectory:(NSSearchPathDirectory)directory
                           inDomain:(NSSearchPathDomainMask)domain
                  appropriateForURL:(nullable NSURL *)url
                             create:(BOOL)shouldCreate
                              error:(NSError **)error;
- (BOOL)createDirectoryAtURL:(NSURL *)url
    withIntermediateDirectories:(BOOL)createIntermediates
                     attributes:(nullable NSDictionary<NSFileAttributeKey, id> *)attributes
                          error:(NSError **)error;
- (nullable NSArray<NSString *> *)contentsOfDirectoryAtPath:(NSString *)path error:(NSError **)error;
- (BOOL)setAttributes:(NSDictionary<NSFileAttributeKey, id> *)attributes
         ofItemAtPath:(NSString *)path
                error:(NSError **)error;
@end

typedef NSString *NSNotificationName;
@interface NSNotificationCenter : NSObject
@property (class, readonly, strong) NSNotificationCenter *defaultCenter;
- (void)addObserver:(id)observer
           selector:(SEL)aSelector
               name:(nullable NSNotificationName)aName
             object:(nullable id)anObject;
@end

FOUNDATION_EXPORT void NSLog(NSString *format, ...) NS_FORMAT_FUNCTION(1, 2);

// Of libdispatch.
typedef NSObject *dispatch_queue_t;
typedef void (^dispatch_block_t)(void);
typedef uint64_t dispatch_time_t;
#define DISPATCH_TIME_NOW (0ull)
FOUNDATION_EXTERN dispatch_time_t dispatch_time(dispatch_time_t when, int64_t delta);
FOUNDATION_EXTERN dispatch_queue_t dispatch_get_main_queue(void);
FOUNDATION_EXTERN void dispatch_after(dispatch_time_t when, dispatch_queue_t queue, dispatch_block_t block);

NS_ASSUME_NONNULL_END

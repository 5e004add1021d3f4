#import <Foundation/Foundation.h>

#ifdef __cplusplus
#import <ReactCommon/RCTTurboModule.h>

/// Makes the C++ module `OmniiSync`. React Native finds this class by its name in `codegenConfig.ios.modulesProvider`.
@interface OmniiSyncProvider : NSObject <RCTModuleProvider>
@end
#endif

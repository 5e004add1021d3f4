#pragma once

// What codegen makes of js/NativeOmniiSync.ts. It lies in a folder of its own, except in iOS apps whose pods are
// frameworks.

#if __has_include(<OmniiSyncSpecJSI.h>)
#include <OmniiSyncSpecJSI.h>
#else
#include <ReactCodegen/OmniiSyncSpecJSI.h>
#endif

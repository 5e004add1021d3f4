# Stands in for the prefab package of com.facebook.react:react-android: the targets that an app links, made of the headers in the
# npm package. What needs fbjni or folly, which come from Maven only, is replaced by the headers in include/.
set(react_common "${REACT_ANDROID_DIR}/../ReactCommon")

add_library(ReactAndroid::jsi INTERFACE IMPORTED GLOBAL)
set_target_properties(ReactAndroid::jsi PROPERTIES INTERFACE_INCLUDE_DIRECTORIES "${react_common}/jsi")

add_library(ReactAndroid::reactnative INTERFACE IMPORTED GLOBAL)
set_target_properties(ReactAndroid::reactnative PROPERTIES INTERFACE_INCLUDE_DIRECTORIES
  "${CMAKE_CURRENT_LIST_DIR}/include;${react_common};${react_common}/callinvoker;${react_common}/react/nativemodule/core")

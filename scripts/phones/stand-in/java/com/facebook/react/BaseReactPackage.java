package com.facebook.react;

import com.facebook.react.bridge.NativeModule;
import com.facebook.react.bridge.ReactApplicationContext;
import com.facebook.react.module.model.ReactModuleInfoProvider;

/** Stands in for React Native's class, which is Kotlin. */
public abstract class BaseReactPackage {
  public abstract NativeModule getModule(String name, ReactApplicationContext reactContext);

  public abstract ReactModuleInfoProvider getReactModuleInfoProvider();
}

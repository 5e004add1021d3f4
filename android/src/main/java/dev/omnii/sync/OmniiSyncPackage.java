package dev.omnii.sync;

import com.facebook.react.BaseReactPackage;
import com.facebook.react.bridge.NativeModule;
import com.facebook.react.bridge.ReactApplicationContext;
import com.facebook.react.module.model.ReactModuleInfoProvider;
import java.util.Collections;

/**
 * Holds no module: `OmniiSync` is pure C++ and registered by cpp/. Autolinking wants a package of every library that has a
 * manifest.
 */
public class OmniiSyncPackage extends BaseReactPackage {
  @Override
  public NativeModule getModule(String name, ReactApplicationContext context) {
    return null;
  }

  @Override
  public ReactModuleInfoProvider getReactModuleInfoProvider() {
    return () -> Collections.emptyMap();
  }
}

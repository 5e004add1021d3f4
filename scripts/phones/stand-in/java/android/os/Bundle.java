package android.os;

public final class Bundle {
  public boolean getBoolean(String key, boolean defaultValue) {
    return defaultValue;
  }
}

package android.content.pm;

public abstract class PackageManager {
  public static class NameNotFoundException extends Exception {}

  public static final int GET_META_DATA = 0x80;

  public abstract ApplicationInfo getApplicationInfo(String packageName, int flags) throws NameNotFoundException;
}

package dev.omnii.sync;

import android.content.ContentProvider;
import android.content.ContentValues;
import android.content.Context;
import android.content.pm.ApplicationInfo;
import android.content.pm.PackageManager;
import android.database.Cursor;
import android.net.Uri;
import android.os.Bundle;
import android.system.ErrnoException;
import android.system.Os;
import android.util.Log;
import java.io.File;

/**
 * Tells the engine where databases live if the app names no directory: `omnii-sync` in the app's private files. With
 * `<meta-data android:name="dev.omnii.sync.excludeFromBackup" android:value="true" />` it is in those that Android does not back
 * up; what is in the other place then moves over.
 *
 * <p>A content provider because Android makes it before the app runs, with a context; it answers no query. The engine reads
 * the environment, so that no Java has to be called from native code.
 */
public final class OmniiSyncDirectory extends ContentProvider {
  private static final String TAG = "OmniiSync";
  private static final String NAME = "omnii-sync";
  private static final String EXCLUDE = "dev.omnii.sync.excludeFromBackup";

  @Override
  public boolean onCreate() {
    Context context = getContext();
    if (context == null) {
      return false;
    }
    File backedUp = new File(context.getFilesDir(), NAME);
    File notBackedUp = new File(context.getNoBackupFilesDir(), NAME);
    boolean exclude = isExcluded(context);
    File wanted = exclude ? notBackedUp : backedUp;
    File other = exclude ? backedUp : notBackedUp;
    // The data stays reachable whatever happens: a move that fails leaves the old place in use.
    boolean stays = other.exists() && !wanted.exists() && !other.renameTo(wanted);
    try {
      Os.setenv("OMNII_SYNC_DIRECTORY", (stays ? other : wanted).getPath(), true);
    } catch (ErrnoException error) {
      Log.e(TAG, "The directory for databases could not be set", error);
    }
    return true;
  }

  private static boolean isExcluded(Context context) {
    try {
      ApplicationInfo info =
          context
              .getPackageManager()
              .getApplicationInfo(context.getPackageName(), PackageManager.GET_META_DATA);
      Bundle metaData = info.metaData;
      return metaData != null && metaData.getBoolean(EXCLUDE, false);
    } catch (PackageManager.NameNotFoundException error) {
      return false;
    }
  }

  @Override
  public Cursor query(Uri uri, String[] columns, String where, String[] values, String order) {
    return null;
  }

  @Override
  public String getType(Uri uri) {
    return null;
  }

  @Override
  public Uri insert(Uri uri, ContentValues values) {
    return null;
  }

  @Override
  public int delete(Uri uri, String where, String[] arguments) {
    return 0;
  }

  @Override
  public int update(Uri uri, ContentValues values, String where, String[] arguments) {
    return 0;
  }
}

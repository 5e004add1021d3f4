package android.content;

import android.database.Cursor;
import android.net.Uri;

/** Stands in for Android's class: only what ours overrides and calls, with Android's signatures. So do the others here. */
public abstract class ContentProvider {
  public final Context getContext() {
    return null;
  }

  public abstract boolean onCreate();

  public abstract Cursor query(Uri uri, String[] projection, String selection, String[] selectionArgs, String sortOrder);

  public abstract String getType(Uri uri);

  public abstract Uri insert(Uri uri, ContentValues values);

  public abstract int delete(Uri uri, String selection, String[] selectionArgs);

  public abstract int update(Uri uri, ContentValues values, String selection, String[] selectionArgs);
}

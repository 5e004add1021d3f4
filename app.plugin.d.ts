// Types of app.plugin.js, for an app.config.ts that imports it: what each option does is said there and in docs/building.md.

declare function withOmniiSync<Config extends object>(config: Config, options?: withOmniiSync.Options | null): Config;

declare namespace withOmniiSync {
  type Options = {
    /** Default: false. */
    buildFromSource?: boolean | undefined;
    /** Builds from source. Default: false. */
    sqlcipher?: boolean | undefined;
    /** false builds from source. Default: true. */
    fts5?: boolean | undefined;
    excludeFromBackup?: boolean | undefined;
    android?: { cleartextHosts?: string[] | undefined } | undefined;
    ios?:
      | {
          backgroundModes?: ('fetch' | 'processing' | 'remote-notification')[] | undefined;
          /** Default: completeUntilFirstUserAuthentication. */
          fileProtection?: 'none' | 'complete' | 'completeUnlessOpen' | 'completeUntilFirstUserAuthentication' | undefined;
        }
      | undefined;
  };
}

export = withOmniiSync;

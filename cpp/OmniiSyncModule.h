#pragma once

// The module `OmniiSync`: each method of js/NativeOmniiSync.ts turned into one call of the engine, and nothing else.
// Methods run on the JS thread and never wait for the engine; they answer a promise, which is also how they refuse a
// bad argument. (The codegen'd glue in front of them checks the number of arguments and their basic types, and throws.)
//
// One instance lives as long as its JavaScript runtime. Destroying it, on whatever thread, closes all databases and
// waits for that; nothing reaches JavaScript from then on, and promises still pending stay so.

#include <ReactCommon/CallInvoker.h>
#include <jsi/jsi.h>

#include <cstddef>
#include <memory>
#include <optional>
#include <string>

#include "Generation.h"
#include "Spec.h"
#include "omnii-sync-ffi/src/lib.rs.h"

namespace facebook::react {

class OmniiSyncModule final : public NativeOmniiSyncCxxSpec<OmniiSyncModule> {
 public:
  explicit OmniiSyncModule(std::shared_ptr<CallInvoker> jsInvoker);
  ~OmniiSyncModule() override;
  OmniiSyncModule(const OmniiSyncModule&) = delete;
  OmniiSyncModule& operator=(const OmniiSyncModule&) = delete;

  jsi::Value open(jsi::Runtime& runtime, std::string options);
  jsi::Value close(jsi::Runtime& runtime, double databaseId);

  jsi::Value execute(jsi::Runtime& runtime, double databaseId, double transactionId, std::string sql,
                     jsi::Object params);
  jsi::Value query(jsi::Runtime& runtime, double databaseId, std::string sql, jsi::Object params);
  jsi::Value executeRaw(jsi::Runtime& runtime, double databaseId, double transactionId, std::string sql,
                        jsi::Object params);
  jsi::Value executeBatch(jsi::Runtime& runtime, double databaseId, double transactionId, std::string sql,
                          jsi::Object paramSets);
  jsi::Object querySync(jsi::Runtime& runtime, double databaseId, std::string sql, jsi::Object params);
  jsi::Value describe(jsi::Runtime& runtime, double databaseId, std::string sql);
  jsi::Value interrupt(jsi::Runtime& runtime, double databaseId);
  jsi::Value begin(jsi::Runtime& runtime, double databaseId, std::string mode);
  jsi::Value commit(jsi::Runtime& runtime, double databaseId, double transactionId);
  jsi::Value rollback(jsi::Runtime& runtime, double databaseId, double transactionId);

  jsi::Value watch(jsi::Runtime& runtime, double databaseId, std::string sql, jsi::Object params, std::string options);
  std::optional<jsi::Object> takeWatched(jsi::Runtime& runtime, double databaseId, double watchId);
  void unwatch(jsi::Runtime& runtime, double databaseId, double watchId);
  void setTableEvents(jsi::Runtime& runtime, double databaseId, bool wanted);

  jsi::Value clear(jsi::Runtime& runtime, double databaseId, bool clearLocal);
  jsi::Value getCrud(jsi::Runtime& runtime, double databaseId, std::string options);
  jsi::Value completeCrud(jsi::Runtime& runtime, double databaseId, double lastId);
  jsi::Value getUploadQueueStats(jsi::Runtime& runtime, double databaseId, bool includeSize);
  jsi::Value getClientId(jsi::Runtime& runtime, double databaseId);
  jsi::Value getImportResult(jsi::Runtime& runtime, double databaseId);
  jsi::Value rekey(jsi::Runtime& runtime, double databaseId, std::string key);
  /// Numbers that cannot be ids are ignored, as below.
  void finishUpload(jsi::Runtime& runtime, double databaseId, double requestId, std::string error);

  jsi::Value connect(jsi::Runtime& runtime, double databaseId);
  jsi::Value disconnect(jsi::Runtime& runtime, double databaseId);
  jsi::Value triggerSync(jsi::Runtime& runtime, double databaseId);
  jsi::Value uploadData(jsi::Runtime& runtime, double databaseId);
  jsi::Value clearAndReconnect(jsi::Runtime& runtime, double databaseId);
  jsi::Value reconcile(jsi::Runtime& runtime, double databaseId);
  jsi::Value getParkedChanges(jsi::Runtime& runtime, double databaseId);
  jsi::Value retryParked(jsi::Runtime& runtime, double databaseId, std::string ids);
  jsi::Value discardParked(jsi::Runtime& runtime, double databaseId, std::string ids);
  jsi::Value notify(jsi::Runtime& runtime, double databaseId, std::string event);
  jsi::Value prepareForSuspend(jsi::Runtime& runtime, double databaseId);
  jsi::Value resume(jsi::Runtime& runtime, double databaseId);
  jsi::Value signOut(jsi::Runtime& runtime, double databaseId, std::string policy, double timeoutMs);
  jsi::Value fetchChanges(jsi::Runtime& runtime, double databaseId, std::string since);
  jsi::Value health(jsi::Runtime& runtime, double databaseId);
  jsi::Value populate(jsi::Runtime& runtime, double databaseId);

  /// A number that cannot be an id is answered like an unknown one: with the status of a closed database.
  jsi::String getStatus(jsi::Runtime& runtime, double databaseId);
  /// Numbers that cannot be ids are ignored: no request of the engine can have them.
  void provideCredentials(jsi::Runtime& runtime, double databaseId, double requestId, std::string credentials,
                          std::string error);

  /// Promises given out and not settled yet; the desktop host keeps its loop alive for them. JS thread only.
  size_t pendingRequests() const;
  /// Databases that are open; the desktop host says so when its script ends before them.
  size_t openDatabases() const;

 private:
  /// Makes a promise and calls `start(request id)`, which converts the arguments and then calls the engine. If `start`
  /// throws, which it may only before it has called the engine, the promise is rejected.
  template <typename Start>
  jsi::Value request(jsi::Runtime& runtime, Start start);

  jsi::Value notBuiltYet(jsi::Runtime& runtime);

  // In this order: the engine is destroyed first and may call its sink until then.
  std::shared_ptr<omnii::Generation> generation_;
  rust::Box<omnii::Engine> engine_;
};

}  // namespace facebook::react

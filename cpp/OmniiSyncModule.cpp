#include "OmniiSyncModule.h"

#include <cstdint>
#include <exception>
#include <limits>
#include <stdexcept>
#include <utility>

#include "Arguments.h"
#include "EventDispatcher.h"
#include "RowConverter.h"

namespace facebook::react {

using omnii::toChangeId;
using omnii::toDatabaseId;
using omnii::toMilliseconds;
using omnii::toSets;
using omnii::toTransactionId;
using omnii::toValues;

namespace {

// The engine counts databases up from its first; it never comes this far.
constexpr uint32_t kNoDatabase = std::numeric_limits<uint32_t>::max();
constexpr double kMaxRequestId = 9007199254740992.0;

omnii::Failure failure(const char* code, const char* message) {
  return omnii::Failure{rust::String(code), rust::String::lossy(message), false, {}, {}};
}

// To be called in a catch block: says what was thrown while arguments were being read.
omnii::Failure currentFailure() {
  try {
    throw;
  } catch (const std::invalid_argument& error) {
    return failure("BadArgument", error.what());
  } catch (const jsi::JSIException& error) {
    // A getter or a proxy of the caller's threw while its value was being read.
    return failure("BadArgument", error.what());
  } catch (const std::exception& error) {
    return failure("Internal", error.what());
  } catch (...) {
    return failure("Internal", "An exception of an unknown type");
  }
}

// Numbers that cannot be ids are ignored, as unknown ids are.
bool isWatch(double databaseId, double watchId) {
  return omnii::isId(databaseId, kNoDatabase) && omnii::isId(watchId, kMaxRequestId);
}

}  // namespace

OmniiSyncModule::OmniiSyncModule(std::shared_ptr<CallInvoker> jsInvoker)
    : NativeOmniiSyncCxxSpec(std::move(jsInvoker)),
      generation_(std::make_shared<omnii::Generation>(
          jsInvoker_,
          omnii::Generation::Emitters{
              std::static_pointer_cast<omnii::Generation::Emitter>(eventEmitterMap_.at("onStatusChanged")),
              std::static_pointer_cast<omnii::Generation::Emitter>(eventEmitterMap_.at("onTablesChanged")),
              std::static_pointer_cast<omnii::Generation::Emitter>(eventEmitterMap_.at("onWatchChanged")),
              std::static_pointer_cast<omnii::Generation::Emitter>(eventEmitterMap_.at("onCredentialsRequested")),
              std::static_pointer_cast<omnii::Generation::Emitter>(eventEmitterMap_.at("onUploadRequested"))})),
      engine_(omnii::new_engine(std::make_shared<omnii::EventDispatcher>(jsInvoker_, generation_))) {}

OmniiSyncModule::~OmniiSyncModule() {
  // First of all, so that what the engine says while it closes goes nowhere.
  generation_.reset();
}

template <typename Start>
jsi::Value OmniiSyncModule::request(jsi::Runtime& runtime, Start start) {
  auto [promise, request] = generation_->begin(runtime);
  try {
    start(request);
  } catch (...) {
    omnii::Outcome outcome = currentFailure();
    generation_->settle(runtime, request, outcome);
  }
  return std::move(promise);
}

jsi::Value OmniiSyncModule::notBuiltYet(jsi::Runtime& runtime) {
  return request(runtime, [](uint64_t) { throw std::runtime_error("not built yet"); });
}

jsi::Value OmniiSyncModule::open(jsi::Runtime& runtime, std::string options) {
  return request(runtime, [&](uint64_t request) { engine_->open(request, options); });
}

jsi::Value OmniiSyncModule::close(jsi::Runtime& runtime, double databaseId) {
  return request(runtime, [&](uint64_t request) { engine_->close(request, toDatabaseId(databaseId)); });
}

jsi::Value OmniiSyncModule::execute(jsi::Runtime& runtime, double databaseId, double transactionId, std::string sql,
                                    jsi::Object params) {
  return request(runtime, [&](uint64_t request) {
    engine_->execute(request, toDatabaseId(databaseId), toTransactionId(transactionId), sql, toValues(runtime, params));
  });
}

jsi::Value OmniiSyncModule::query(jsi::Runtime& runtime, double databaseId, std::string sql, jsi::Object params) {
  return request(runtime, [&](uint64_t request) {
    engine_->query(request, toDatabaseId(databaseId), sql, toValues(runtime, params));
  });
}

jsi::Value OmniiSyncModule::executeRaw(jsi::Runtime& runtime, double databaseId, double transactionId, std::string sql,
                                       jsi::Object params) {
  return request(runtime, [&](uint64_t request) {
    engine_->execute_raw(request, toDatabaseId(databaseId), toTransactionId(transactionId), sql,
                         toValues(runtime, params));
  });
}

jsi::Value OmniiSyncModule::executeBatch(jsi::Runtime& runtime, double databaseId, double transactionId,
                                         std::string sql, jsi::Object paramSets) {
  return request(runtime, [&](uint64_t request) {
    engine_->execute_batch(request, toDatabaseId(databaseId), toTransactionId(transactionId), sql,
                           toSets(runtime, paramSets));
  });
}

jsi::Object OmniiSyncModule::querySync(jsi::Runtime& runtime, double databaseId, std::string sql, jsi::Object params) {
  omnii::Failure failed;
  std::optional<rust::Box<omnii::Rows>> rows;
  try {
    rows = engine_->query_now(toDatabaseId(databaseId), sql, toValues(runtime, params), failed);
  } catch (...) {
    failed = currentFailure();
  }
  if (!failed.code.empty()) {
    throw jsi::JSError(runtime, jsi::Value(omnii::toError(runtime, omnii::toReason(failed))));
  }
  return generation_->result(runtime, **rows);
}

jsi::Value OmniiSyncModule::describe(jsi::Runtime& runtime, double databaseId, std::string sql) {
  return request(runtime, [&](uint64_t request) { engine_->describe(request, toDatabaseId(databaseId), sql); });
}

jsi::Value OmniiSyncModule::interrupt(jsi::Runtime& runtime, double databaseId) {
  return request(runtime, [&](uint64_t request) { engine_->interrupt(request, toDatabaseId(databaseId)); });
}

jsi::Value OmniiSyncModule::watch(jsi::Runtime& runtime, double databaseId, std::string sql, jsi::Object params,
                                  std::string options) {
  return request(runtime, [&](uint64_t request) {
    engine_->watch(request, toDatabaseId(databaseId), sql, toValues(runtime, params), options);
  });
}

std::optional<jsi::Object> OmniiSyncModule::takeWatched(jsi::Runtime& runtime, double databaseId, double watchId) {
  if (!isWatch(databaseId, watchId)) {
    return std::nullopt;
  }
  auto taken = engine_->take_watched(static_cast<uint32_t>(databaseId), static_cast<uint64_t>(watchId));
  return taken->is_something() ? std::optional(omnii::toChange(runtime, *taken)) : std::nullopt;
}

void OmniiSyncModule::unwatch(jsi::Runtime&, double databaseId, double watchId) {
  if (isWatch(databaseId, watchId)) {
    engine_->unwatch(static_cast<uint32_t>(databaseId), static_cast<uint64_t>(watchId));
  }
}

void OmniiSyncModule::setTableEvents(jsi::Runtime&, double databaseId, bool wanted) {
  if (omnii::isId(databaseId, kNoDatabase)) {
    engine_->set_table_events(static_cast<uint32_t>(databaseId), wanted);
  }
}

jsi::Value OmniiSyncModule::clear(jsi::Runtime& runtime, double databaseId, bool clearLocal) {
  return request(runtime, [&](uint64_t request) { engine_->clear(request, toDatabaseId(databaseId), clearLocal); });
}

jsi::Value OmniiSyncModule::getCrud(jsi::Runtime& runtime, double databaseId, std::string options) {
  return request(runtime, [&](uint64_t request) { engine_->crud(request, toDatabaseId(databaseId), options); });
}

jsi::Value OmniiSyncModule::completeCrud(jsi::Runtime& runtime, double databaseId, double lastId) {
  return request(runtime, [&](uint64_t request) {
    engine_->complete_crud(request, toDatabaseId(databaseId), toChangeId("lastId", lastId));
  });
}

jsi::Value OmniiSyncModule::getUploadQueueStats(jsi::Runtime& runtime, double databaseId, bool includeSize) {
  return request(
      runtime, [&](uint64_t request) { engine_->upload_queue_stats(request, toDatabaseId(databaseId), includeSize); });
}

jsi::Value OmniiSyncModule::getClientId(jsi::Runtime& runtime, double databaseId) {
  return request(runtime, [&](uint64_t request) { engine_->client_id(request, toDatabaseId(databaseId)); });
}

jsi::Value OmniiSyncModule::getImportResult(jsi::Runtime& runtime, double databaseId) {
  return request(runtime, [&](uint64_t request) { engine_->import_result(request, toDatabaseId(databaseId)); });
}

jsi::Value OmniiSyncModule::rekey(jsi::Runtime& runtime, double databaseId, std::string key) {
  return request(runtime, [&](uint64_t request) { engine_->rekey(request, toDatabaseId(databaseId), key); });
}

void OmniiSyncModule::finishUpload(jsi::Runtime&, double databaseId, double requestId, std::string error) {
  if (omnii::isId(databaseId, kNoDatabase) && omnii::isId(requestId, kMaxRequestId)) {
    engine_->finish_upload(static_cast<uint32_t>(databaseId), static_cast<uint64_t>(requestId), error);
  }
}

jsi::Value OmniiSyncModule::begin(jsi::Runtime& runtime, double databaseId, std::string mode) {
  return request(runtime, [&](uint64_t request) { engine_->begin(request, toDatabaseId(databaseId), mode); });
}

jsi::Value OmniiSyncModule::commit(jsi::Runtime& runtime, double databaseId, double transactionId) {
  return request(runtime, [&](uint64_t request) {
    engine_->commit(request, toDatabaseId(databaseId), toTransactionId(transactionId));
  });
}

jsi::Value OmniiSyncModule::rollback(jsi::Runtime& runtime, double databaseId, double transactionId) {
  return request(runtime, [&](uint64_t request) {
    engine_->rollback(request, toDatabaseId(databaseId), toTransactionId(transactionId));
  });
}

jsi::Value OmniiSyncModule::connect(jsi::Runtime& runtime, double databaseId) {
  return request(runtime, [&](uint64_t request) { engine_->connect(request, toDatabaseId(databaseId)); });
}

jsi::Value OmniiSyncModule::disconnect(jsi::Runtime& runtime, double databaseId) {
  return request(runtime, [&](uint64_t request) { engine_->disconnect(request, toDatabaseId(databaseId)); });
}

jsi::Value OmniiSyncModule::triggerSync(jsi::Runtime& runtime, double databaseId) {
  return request(runtime, [&](uint64_t request) { engine_->trigger_sync(request, toDatabaseId(databaseId)); });
}

jsi::Value OmniiSyncModule::uploadData(jsi::Runtime& runtime, double databaseId) {
  return request(runtime, [&](uint64_t request) { engine_->upload_data(request, toDatabaseId(databaseId)); });
}

jsi::Value OmniiSyncModule::clearAndReconnect(jsi::Runtime& runtime, double databaseId) {
  return request(runtime, [&](uint64_t request) { engine_->clear_and_reconnect(request, toDatabaseId(databaseId)); });
}

jsi::Value OmniiSyncModule::reconcile(jsi::Runtime& runtime, double databaseId) {
  return request(runtime, [&](uint64_t request) { engine_->reconcile(request, toDatabaseId(databaseId)); });
}

jsi::Value OmniiSyncModule::getParkedChanges(jsi::Runtime& runtime, double databaseId) {
  return request(runtime, [&](uint64_t request) { engine_->parked_changes(request, toDatabaseId(databaseId)); });
}

jsi::Value OmniiSyncModule::retryParked(jsi::Runtime& runtime, double databaseId, std::string ids) {
  return request(runtime, [&](uint64_t request) { engine_->retry_parked(request, toDatabaseId(databaseId), ids); });
}

jsi::Value OmniiSyncModule::discardParked(jsi::Runtime& runtime, double databaseId, std::string ids) {
  return request(runtime, [&](uint64_t request) { engine_->discard_parked(request, toDatabaseId(databaseId), ids); });
}

jsi::Value OmniiSyncModule::notify(jsi::Runtime& runtime, double databaseId, std::string event) {
  return request(runtime, [&](uint64_t request) { engine_->notify(request, toDatabaseId(databaseId), event); });
}

jsi::Value OmniiSyncModule::prepareForSuspend(jsi::Runtime& runtime, double databaseId) {
  return request(runtime, [&](uint64_t request) { engine_->prepare_for_suspend(request, toDatabaseId(databaseId)); });
}

jsi::Value OmniiSyncModule::resume(jsi::Runtime& runtime, double databaseId) {
  return request(runtime, [&](uint64_t request) { engine_->resume(request, toDatabaseId(databaseId)); });
}

jsi::Value OmniiSyncModule::signOut(jsi::Runtime& runtime, double databaseId, std::string policy, double timeoutMs) {
  return request(runtime, [&](uint64_t request) {
    engine_->sign_out(request, toDatabaseId(databaseId), policy, toMilliseconds("timeoutMs", timeoutMs));
  });
}

jsi::Value OmniiSyncModule::fetchChanges(jsi::Runtime& runtime, double databaseId, std::string since) {
  return request(runtime, [&](uint64_t request) { engine_->fetch_changes(request, toDatabaseId(databaseId), since); });
}

jsi::Value OmniiSyncModule::health(jsi::Runtime& runtime, double databaseId) {
  return request(runtime, [&](uint64_t request) { engine_->health(request, toDatabaseId(databaseId)); });
}

jsi::Value OmniiSyncModule::populate(jsi::Runtime& runtime, double databaseId) {
  return request(runtime, [&](uint64_t request) { engine_->populate(request, toDatabaseId(databaseId)); });
}

jsi::String OmniiSyncModule::getStatus(jsi::Runtime& runtime, double databaseId) {
  bool possible = omnii::isId(databaseId, kNoDatabase);
  auto status = engine_->status(possible ? static_cast<uint32_t>(databaseId) : kNoDatabase);
  return jsi::String::createFromUtf8(runtime, reinterpret_cast<const uint8_t*>(status.data()), status.size());
}

void OmniiSyncModule::provideCredentials(jsi::Runtime&, double databaseId, double requestId, std::string credentials,
                                         std::string error) {
  if (omnii::isId(databaseId, kNoDatabase) && omnii::isId(requestId, kMaxRequestId)) {
    engine_->provide_credentials(static_cast<uint32_t>(databaseId), static_cast<uint64_t>(requestId), credentials,
                                 error);
  }
}

size_t OmniiSyncModule::pendingRequests() const {
  return generation_->pendingRequests();
}

size_t OmniiSyncModule::openDatabases() const {
  return engine_->open_databases();
}

}  // namespace facebook::react

//! The store without threads: the same promises, and what only holds there.

use super::*;

#[test]
fn what_holds_on_threads_holds_inline() {
    EXECUTION.set(Execution::Inline);
    capture::every_way_of_writing_lands_in_the_outbox_in_its_transaction();
    capture::a_failed_statement_leaves_nothing_and_says_where();
    apply::pulled_rows_do_not_enter_the_outbox_and_a_page_twice_changes_nothing();
    apply::pending_changes_survive_a_pull_by_column_and_settle_when_proven();
    opening::a_transaction_is_one_entry_group_and_everything_else_waits_for_it();
    opening::readers_refuse_to_write();
    opening::changes_and_cursor_outlive_a_restart_and_clear_keeps_what_is_pending();
    opening::closing_answers_everything_that_waits();
    capture::a_transaction_that_sqlite_rolled_back_leaves_no_ghosts_in_the_count();
    capture::the_count_is_exact_when_part_of_a_transaction_is_undone();
    capture::a_text_without_a_statement_says_so();
}

fn inline() -> Fixture {
    EXECUTION.set(Execution::Inline);
    fixture()
}

#[test]
fn calls_are_done_when_they_return_on_the_callers_thread() {
    let f = inline();
    let (send, receive) = channel();
    let sent = send.clone();
    let on = || std::thread::current().id();
    f.store.execute(0, "INSERT INTO notes (id) VALUES ('a')".into(), vec![], move |_| sent.send(on()).unwrap());
    assert_eq!(receive.try_recv(), Ok(on()));
    f.store.query("SELECT 1".into(), vec![], move |_| send.send(on()).unwrap());
    assert_eq!(receive.try_recv(), Ok(on()));
}

/// Asks for more from within an answer: `depth` statements, one after another.
fn chain(store: &Arc<Store>, depth: usize, order: &Arc<Mutex<Vec<usize>>>) {
    let (again, log) = (store.clone(), order.clone());
    store.execute(
        0,
        format!("INSERT INTO notes (id) VALUES ('{depth}') ON CONFLICT DO NOTHING"),
        vec![],
        move |outcome| {
            outcome.unwrap();
            if depth > 0 {
                chain(&again, depth - 1, &log);
                let read = log.clone();
                again.query("SELECT count(*) FROM notes".into(), vec![], move |rows| {
                    assert!(!rows.unwrap().is_empty());
                    read.lock().unwrap().push(1000 + depth);
                });
            }
            log.lock().unwrap().push(depth);
        },
    );
}

#[test]
fn an_answer_may_ask_for_more() {
    let f = inline();
    let order = Arc::default();
    chain(&f.store, 3, &order);
    // the answer goes on before what it asked the writer for begins; nothing runs inside another statement
    assert_eq!(*order.lock().unwrap(), [1003, 3, 1002, 2, 1001, 1, 0]);
    // deep enough to overflow the stack if answers ran inside each other
    chain(&f.store, 5_000, &Arc::default());
    assert_eq!(f.read("SELECT count(*) FROM notes"), [["5001"]]);
}

#[test]
fn what_waits_for_a_transaction_runs_in_order_when_it_ends() {
    let f = inline();
    let tx = wait(|done| f.store.begin(done)).unwrap();
    let order: Arc<Mutex<Vec<u64>>> = Arc::default();
    for n in 0..3 {
        let (log, again) = (order.clone(), f.store.clone());
        f.store.begin(move |other| {
            log.lock().unwrap().push(n);
            again.end(other.unwrap(), true, |ended| ended.unwrap());
        });
    }
    assert!(order.lock().unwrap().is_empty());
    wait::<Result<()>>(|done| f.store.end(tx, true, done)).unwrap();
    assert_eq!(*order.lock().unwrap(), [0, 1, 2]);
}

#[test]
fn closing_from_within_an_answer_ends_what_waits() {
    let f = inline();
    let (send, receive) = channel();
    let (again, log) = (f.store.clone(), send.clone());
    f.store.execute(0, "SELECT 1".into(), vec![], move |first| {
        let late = log.clone();
        again.execute(0, "SELECT 2".into(), vec![], move |outcome| late.send(outcome.map(|_| ())).unwrap());
        again.close();
        log.send(first.map(|_| ())).unwrap();
    });
    drop(send);
    let outcomes: Vec<_> = receive.iter().map(|outcome| outcome.map_err(|error| error.code)).collect();
    assert_eq!(outcomes, [Ok(()), Err(ErrorCode::Closed)]);
    drop(open_in(f.directory.path(), SCHEMA, f.seen.clone()).unwrap());
}

#[tokio::test(start_paused = true)]
async fn a_write_needs_nobody_to_wait_for_it() {
    let f = inline();
    let job = f.store.write(|w| w.transaction(|_| Ok(7)));
    drop(f.store.write(|w| w.execute_alone("INSERT INTO notes (id) VALUES ('a')", &[])));
    assert_eq!(f.read("SELECT id FROM notes"), [["a"]]);
    assert_eq!(job.await, Ok(7));
}

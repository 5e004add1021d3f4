//! What arrives may be anything: mutated answers, by the thousand and from a seed, must be read or refused without a panic,
//! without half a row, and with work that grows no faster than the answer.
//!
//! Work is counted in bytes asked of the allocator, not in time: the same on every machine. `OMNII_HOSTILE_SEED` repeats a
//! run, `OMNII_HOSTILE_CASES` makes it longer. The fuzz targets in `../fuzz` check the same.

#[path = "hostile/check.rs"]
mod check;
#[path = "hostile/mutate.rs"]
mod mutate;

use mutate::{Chance, mutate};
use omnii_sync_core::ErrorCode;
use omnii_sync_core::protocol1::{page, upload};
use serde_json::Value as Json;
use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;

/// Counts what each thread asks for.
struct Counting;

thread_local! {
    static ASKED: Cell<usize> = const { Cell::new(0) };
}

// SAFETY: passes everything on to the system's allocator
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        ASKED.set(ASKED.get() + layout.size());
        // SAFETY: the caller's promises are the same
        unsafe { System.alloc(layout) }
    }
    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        // SAFETY: the caller's promises are the same
        unsafe { System.dealloc(pointer, layout) }
    }
    unsafe fn realloc(&self, pointer: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        ASKED.set(ASKED.get() + size);
        // SAFETY: the caller's promises are the same
        unsafe { System.realloc(pointer, layout, size) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// Bytes that `work` asked for.
fn asked(work: impl FnOnce()) -> usize {
    let before = ASKED.get();
    work();
    ASKED.get() - before
}

/// What reading may ask for per byte of a body: the shortest row, `{},`, gets a place for each of its columns.
const PER_BYTE: usize = 512;
/// Whatever the body is.
const AT_ALL: usize = 16 * 1024;

fn number_from(name: &str, otherwise: u64) -> u64 {
    std::env::var(name).ok().map_or(otherwise, |text| text.parse().expect("a number"))
}

fn torture(valid: &[&str], pieces: &[&str], check: fn(&[u8])) {
    let (seed, cases) = (number_from("OMNII_HOSTILE_SEED", 1), number_from("OMNII_HOSTILE_CASES", 20_000));
    for case in 0..cases {
        let mut chance = Chance::new(seed.wrapping_mul(1_000_003).wrapping_add(case));
        let body = mutate(valid, pieces, &mut chance);
        let work = asked(|| check(&body));
        assert!(work <= AT_ALL + PER_BYTE * body.len(), "case {case}: {work} bytes for {}", body.len());
    }
}

#[test]
fn pages_of_any_kind_are_read_or_refused() {
    torture(check::PAGES, mutate::PIECES, check::page);
}

#[test]
fn answers_of_any_kind_are_read_or_refused() {
    torture(check::ANSWERS, mutate::PIECES, check::answer);
}

/// `levels` arrays and objects in each other.
fn nested(levels: usize) -> String {
    let open: String = (0..levels).map(|n| if n % 2 == 0 { "[" } else { "{\"k\":" }).collect();
    let close: String = (0..levels).rev().map(|n| if n % 2 == 0 { "]" } else { "}" }).collect();
    format!("{open}{}{close}", if levels.is_multiple_of(2) { "1" } else { "" })
}

fn page_with(column: &str, value: &str) -> String {
    let at = r#""updated_at":"2026-01-26T10:11:12Z""#;
    format!(
        r#"{{"changes":{{"t":[{{"id":"before",{at}}},{{"id":"it","{column}":{value},{at}}},{{"id":"behind",{at}}}]}}}}"#
    )
}

#[test]
fn a_json_column_holds_what_can_be_parsed_again_and_nothing_deeper() {
    let table = check::table();
    for (levels, fits) in [(1, true), (127, true), (128, false), (129, false), (1000, false), (1_000_000, false)] {
        let value = nested(levels);
        assert_eq!(serde_json::from_str::<Json>(&value).is_ok(), fits, "the limit is serde_json's: {levels}");
        let body = page_with("j", &value);
        let page = page::read(body.as_bytes(), &table, "u").expect("a page").expect("the table is there");
        let ids: Vec<&str> = page.rows.iter().map(|row| row.id.as_ref()).collect();
        assert_eq!(ids, if fits { vec!["before", "it", "behind"] } else { vec!["before", "behind"] }, "{levels}");
        assert_eq!(page.malformed, usize::from(!fits));
        if !fits {
            let fault = page.first_fault.expect("said");
            assert_eq!(fault, "row it: column j can't hold a value that is nested deeper than 127 levels");
        }
    }
    // brackets in a text are no nesting
    let text = format!(r#"{{"k":"{}\"{}"}}"#, "[".repeat(300), "{".repeat(300));
    let page = page_with("j", &text);
    assert_eq!(page::read(page.as_bytes(), &table, "u").expect("a page").expect("a table").rows.len(), 3);
}

#[test]
fn a_value_that_nobody_can_read_refuses_its_row_and_no_other() {
    let table = check::table();
    for (column, value) in [
        ("n", "1e999"),
        ("r", "-1e999"),
        ("a", "1e999"),
        ("n", &"9".repeat(400)),
        ("a", r#""\ud800""#),
        ("a", r#""\udc00\ud800 and more""#),
        ("user_id", r#""\ud800""#),
        ("user_id", "{}"),
    ] {
        let body = page_with(column, value);
        let page = page::read(body.as_bytes(), &table, "u").expect("a page").expect("the table is there");
        let ids: Vec<&str> = page.rows.iter().map(|row| row.id.as_ref()).collect();
        assert_eq!((ids, page.malformed), (vec!["before", "behind"], 1), "{column}: {value}");
    }
    // what does not end, or is no JSON at all, is nothing to be careful with
    for value in ["1e", "\"", "\"\\x\"", "nul", "01", "\u{1}"] {
        let body = page_with("a", value);
        assert_eq!(
            page::read(body.as_bytes(), &table, "u").expect_err("no page").code,
            ErrorCode::BadResponse,
            "{value}"
        );
    }
}

#[test]
fn nesting_elsewhere_is_passed_over_without_climbing_in() {
    let deep = nested(1_000_000);
    for column in ["nobody_knows_it", "a", "n", "r", "id", "user_id", "updated_at"] {
        check::page(page_with(column, &deep).as_bytes());
    }
    let body = format!(
        r#"{{"x":{deep},"changes":{{"other":{deep},"t":[{deep},{{"id":"i","updated_at":"2026-01-26T10:11:12Z"}}]}},"timestamp":{deep}}}"#
    );
    let page = page::read(body.as_bytes(), &check::table(), "u").expect("a page").expect("the table is there");
    assert_eq!((page.rows.len(), page.malformed), (1, 1));

    let body =
        format!(r#"{{"x":{deep},"results":{{"t":{{"errors":[{deep}],"x":{deep}}},"o":{{}}}},"timestamp":{deep}}}"#);
    let answer = upload::read_answer(&check::request(), body.as_bytes()).expect("an answer");
    assert_eq!(answer.tables[0], upload::TableAnswer::Refused("refused without a reason".into()));
    assert_eq!(answer.answered_at, None);
}

/// Bodies that are one thing many times, or one long thing.
fn monsters(n: usize) -> Vec<String> {
    let row = r#"{"id":"i","updated_at":"2026-01-26T10:11:12Z"},"#;
    let rows = |row: &str| format!(r#"{{"changes":{{"t":[{}null]}}}}"#, row.repeat(n));
    vec![
        rows("{},"),
        rows("0,"),
        rows("[],"),
        rows(row),
        rows(r#"{"id":"i","user_id":"somebody"},"#),
        page_with("a", &format!("\"{}\"", "x".repeat(n))),
        page_with("a", &format!("\"{}\"", "\\u00e9".repeat(n))),
        page_with("n", &"9".repeat(n)),
        page_with("r", &format!("0.{}", "9".repeat(n))),
        page_with("j", &format!("[{}0]", "0,".repeat(n))),
        page_with("nobody_knows_it", &"9".repeat(n)),
        page_with(&"x".repeat(n), "1"),
        format!(r#"{{"changes":{{"t":[{{{}"id":"i"}}]}}}}"#, r#""k":1,"#.repeat(n)),
        format!(r#"{{"changes":{{"t":[{{{}"id":"i"}}]}}}}"#, r#""id":"i","#.repeat(n)),
        format!(r#"{{"changes":{{{}"t":[]}}}}"#, r#""t":[{"id":"i","updated_at":"2026-01-26T10:11:12Z"}],"#.repeat(n)),
        format!(r#"{{"changes":{{"t":[{{"id":"{}","n":1.5}}]}}}}"#, "i".repeat(n)),
        format!(r#"{{{}"changes":{{"t":[]}}}}"#, "\n".repeat(n)),
        "[".repeat(n),
        "{\"changes\":".repeat(n),
        "\"".to_owned() + &"\\".repeat(n),
        format!(r#"{{"results":{{"t":{{"errors":[{}0]}}}}}}"#, "0,".repeat(n)),
        format!(r#"{{"results":{{"t":{{"errors":["{}"]}}}}}}"#, "ü".repeat(n)),
        format!(r#"{{"results":{{"t":{{"errors":[[{}0]]}}}}}}"#, "0,".repeat(n)),
        format!(r#"{{"results":{{{}"t":{{}}}}}}"#, r#""t":{"errors":["no"]},"#.repeat(n)),
    ]
}

#[test]
fn work_grows_with_the_body_and_not_faster() {
    let both = |body: &str| {
        check::page(body.as_bytes());
        check::answer(body.as_bytes());
    };
    for (which, (small, large)) in monsters(5_000).iter().zip(monsters(20_000)).enumerate() {
        let (one, four) = (asked(|| both(small)), asked(|| both(&large)));
        assert!(one <= AT_ALL + PER_BYTE * small.len(), "{which}: {one} for {}", small.len());
        // buffers double, so four times as much may ask for eight times as much
        assert!(four <= AT_ALL + 8 * one, "{which}: {one}, then {four}");
    }
}

#[test]
fn of_an_answer_only_the_sentences_are_kept() {
    for error in ["0", "[]", r#"{"k":[0,{}]}"#, r#""no""#] {
        let body = format!(
            r#"{{"results":{{"t":{{"errors":[[{0}],{0}]}}}},"timestamp":[{0}]}}"#,
            vec![error; 20_000].join(",")
        );
        let work = asked(|| check::answer(body.as_bytes()));
        assert!(work < AT_ALL, "{work} bytes for {}", body.len());
    }
}

#[test]
fn long_things_do_not_become_long_messages() {
    let body = page_with("n", "1.5").replace("\"it\"", &format!("{:?}", "i".repeat(100_000)));
    let page = page::read(body.as_bytes(), &check::table(), "u").expect("a page").expect("the table is there");
    assert!(page.first_fault.expect("said").len() < 200);
    let body = format!(r#"{{"results":{{"t":{{"errors":["{}"]}}}}}}"#, "Invalid table ".repeat(10_000));
    let answer = upload::read_answer(&check::request(), body.as_bytes()).expect("an answer");
    let upload::TableAnswer::UnknownTable(why) = &answer.tables[0] else { panic!("{answer:?}") };
    assert!(why.len() <= 200);
    assert_eq!(upload::read_answer(&check::request(), b"{").expect_err("cut").code, ErrorCode::BadResponse);
}

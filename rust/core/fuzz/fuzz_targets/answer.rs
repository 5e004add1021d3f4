#![no_main]

#[path = "../../tests/hostile/check.rs"]
#[allow(dead_code)]
mod check;

libfuzzer_sys::fuzz_target!(|body: &[u8]| check::answer(body));

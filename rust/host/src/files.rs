//! The file operations of `__host`: small and whole-file, as tests and the demo need them. Paths are relative to the working
//! directory; errors name the path.

use std::fs;
use std::path::Path;

use serde::Deserialize;

use crate::bridge::ffi::Answer;
use crate::host::{Failure, bytes_answer, json_answer, nothing, parse, text_answer};

#[derive(Deserialize)]
struct At {
    path: String,
}

#[derive(Deserialize)]
struct Prefix {
    prefix: String,
}

/// Runs a file operation; `None` if there is none of that name.
pub fn call(operation: &str, json: &str, bytes: &[u8]) -> Option<Result<Answer, Failure>> {
    let answer = match operation {
        "readText" => at(json, |path| Ok(text_answer(String::from_utf8_lossy(&fs::read(path)?).into_owned()))),
        "readBytes" => at(json, |path| Ok(bytes_answer(fs::read(path)?))),
        "writeFile" => at(json, |path| fs::write(path, bytes).map(|()| nothing())),
        "makeDirectory" => at(json, |path| fs::create_dir_all(path).map(|()| nothing())),
        "remove" => at(json, |path| remove(path).map(|()| nothing())),
        "exists" => at(json, |path| Ok(json_answer(path.exists().to_string()))),
        "fileSize" => at(json, |path| Ok(json_answer(fs::metadata(path)?.len().to_string()))),
        "list" => at(json, list),
        "makeTempDirectory" => make_temp_directory(json),
        _ => return None,
    };
    Some(answer)
}

fn at(json: &str, body: impl FnOnce(&Path) -> std::io::Result<Answer>) -> Result<Answer, Failure> {
    let path = parse::<At>(json)?.path;
    body(Path::new(&path)).map_err(|error| format!("{path}: {error}").into())
}

/// Removes a file, or a directory with all it holds; what is not there is removed already.
fn remove(path: &Path) -> std::io::Result<()> {
    let removed = match fs::symlink_metadata(path) {
        Ok(metadata) if metadata.is_dir() => fs::remove_dir_all(path),
        Ok(_) => fs::remove_file(path),
        Err(error) => Err(error),
    };
    match removed {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(()),
        other => other,
    }
}

/// The names in a directory, sorted.
fn list(path: &Path) -> std::io::Result<Answer> {
    let mut names = Vec::new();
    for entry in fs::read_dir(path)? {
        names.push(entry?.file_name().to_string_lossy().into_owned());
    }
    names.sort();
    Ok(json_answer(serde_json::to_string(&names)?))
}

fn make_temp_directory(json: &str) -> Result<Answer, Failure> {
    let directory = tempfile::Builder::new().prefix(&parse::<Prefix>(json)?.prefix).tempdir()?.keep();
    Ok(text_answer(directory.to_string_lossy().into_owned()))
}

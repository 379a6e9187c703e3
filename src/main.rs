//! The street door.

#![forbid(unsafe_code)]

use std::process::ExitCode;

fn main() -> ExitCode {
    alongside::cli::main()
}

//! The street door.

use std::process::ExitCode;

fn main() -> ExitCode {
    alongside::cli::main()
}

//! The binary: hands the words of the command line to `cli` and exits with its code.

fn main() -> std::process::ExitCode {
    synfire::cli::main()
}

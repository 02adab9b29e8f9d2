//! The launcher of the tests, and two programs for it to become: `show env` and `show pwd` print what they
//! were started with, and stay (tmux may lose what a program prints right before it ends).

use std::io::Read;
use std::os::unix::ffi::OsStrExt;

fn main() {
    let arguments: Vec<_> = std::env::args_os().skip(1).collect();
    let arguments: Vec<_> = arguments.iter().map(|argument| argument.as_bytes()).collect();
    match arguments[..] {
        [b"show", b"env"] => {
            for (name, value) in std::env::vars_os() {
                println!("{}={}", name.display(), value.display());
            }
        }
        [b"show", b"pwd"] => println!("{}", std::env::current_dir().unwrap_or_default().display()),
        _ => {
            let file = std::env::args_os().next_back().unwrap_or_default();
            let error = agentmux_tmux::launch::exec(file.as_ref());
            std::process::exit(error.report("launch"));
        }
    }
    let _ = std::io::stdin().read(&mut [0]);
}

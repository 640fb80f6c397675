//! Holding a thread of another process with ptrace(2), for one read only.
//!
//! Each read seizes, interrupts, reads and detaches. Staying attached would be cheaper, but then every signal
//! that the program gets would wait for us to pass it on. Between two reads the program is not traced at all,
//! and if we are killed during one the kernel lets the thread go.
//!
//! The kernel ties a tracee to the tracing *thread*: a [`Tracer`] must be used from one thread only, which
//! [`StackSampler`](crate::StackSampler) ensures by being used through `&mut` and by seizing anew each time.

use std::io;

use super::HoldError;
use crate::proc;
use crate::{Error, Pid, Tid};

/// Set above the signal number in the status of a stop that is not the delivery of a signal (ptrace(2)).
const PTRACE_EVENT_STOP: i32 = 128;

pub(crate) struct Tracer {
    pid: Pid,
    /// Whether the process is our child. Its end is then for its parent code to collect, not for us.
    own_child: bool,
}

/// How an interrupted thread came to a halt.
enum Halt {
    /// Stopped for us, or with its whole process by SIGSTOP.
    Event,
    /// Stopped on the way to delivering this signal, which has to go on with it.
    Signal(i32),
    /// It ended instead.
    Ended,
}

impl Tracer {
    pub(crate) fn new(pid: Pid) -> Result<Self, Error> {
        Ok(Self {
            pid,
            own_child: proc::parent(pid)? == Pid::own(),
        })
    }

    pub(crate) fn with_held<T>(
        &self,
        thread: Tid,
        read: impl FnOnce() -> T,
    ) -> Result<T, HoldError> {
        request(libc::PTRACE_SEIZE, thread, 0)?;
        // From here on the thread must be let go on every path.
        if request(libc::PTRACE_INTERRUPT, thread, 0).is_err() {
            self.forget(thread);
            return Err(HoldError::Gone);
        }
        let signal = match self.wait(thread) {
            Halt::Event => 0,
            Halt::Signal(signal) => signal,
            Halt::Ended => return Err(HoldError::Gone),
        };
        let result = read();
        // Fails only where the thread was killed while it was held.
        if request(libc::PTRACE_DETACH, thread, signal).is_err() {
            self.forget(thread);
            return Err(HoldError::Gone);
        }
        Ok(result)
    }

    /// Waits for the thread to halt. It is left waitable, so that nobody else's wait is disturbed.
    fn wait(&self, thread: Tid) -> Halt {
        let Some((code, status)) = wait_for(thread, libc::WNOWAIT) else {
            return Halt::Ended;
        };
        match code {
            libc::CLD_EXITED | libc::CLD_KILLED | libc::CLD_DUMPED => {
                self.forget(thread);
                Halt::Ended
            }
            _ if status >> 8 == PTRACE_EVENT_STOP => Halt::Event,
            _ => Halt::Signal(status & 0xff),
        }
    }

    /// Collects a thread that ended under our hands: until its tracer does, its own parent does not hear of
    /// it. The end of our own child is left alone, because collecting it here would take its exit status
    /// from the code that started it.
    fn forget(&self, thread: Tid) {
        let leader = thread.get() == self.pid.get();
        if !(leader && self.own_child) {
            wait_for(thread, 0);
        }
    }
}

/// A ptrace request without an address.
fn request(request: libc::c_uint, thread: Tid, data: i32) -> Result<(), HoldError> {
    let none = std::ptr::null_mut::<libc::c_void>();
    // SAFETY: seize, interrupt and detach take a thread number and an integer; they write no memory of ours.
    // That the thread still exists and is ours to trace is checked by the kernel.
    let result = unsafe { libc::ptrace(request, thread.as_raw(), none, libc::c_long::from(data)) };
    if result == 0 {
        return Ok(());
    }
    Err(match io::Error::last_os_error().raw_os_error() {
        Some(libc::ESRCH) => HoldError::Gone,
        _ => HoldError::Denied,
    })
}

/// Waits for a stop or the end of a traced thread: what happened (`CLD_...`), and its status.
fn wait_for(thread: Tid, options: i32) -> Option<(i32, i32)> {
    loop {
        // SAFETY: all zeroes is a valid siginfo_t.
        let mut info: libc::siginfo_t = unsafe { std::mem::zeroed() };
        let options = options | libc::WSTOPPED | libc::WEXITED | libc::__WALL;
        // SAFETY: `info` is writable for the length of the call.
        let result = unsafe { libc::waitid(libc::P_PID, thread.get(), &raw mut info, options) };
        if result == 0 {
            // SAFETY: waitid succeeded without WNOHANG, so that the fields of SIGCHLD are set.
            return Some((info.si_code, unsafe { info.si_status() }));
        }
        if io::Error::last_os_error().kind() != io::ErrorKind::Interrupted {
            return None;
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::Read;
    use std::os::unix::process::ExitStatusExt;
    use std::process::{Child, Command, Stdio};

    use super::*;

    fn busy_shell(script: &str) -> Child {
        Command::new("sh")
            .args(["-c", script])
            .spawn()
            .expect("there is a shell")
    }

    fn tracer_of(child: &Child) -> (Tracer, Tid) {
        (
            Tracer::new(Pid::new(child.id())).expect("it runs"),
            Tid::new(child.id()),
        )
    }

    fn state_of(child: &Child) -> char {
        let stat = std::fs::read_to_string(format!("/proc/{}/stat", child.id())).expect("it runs");
        stat.rsplit(") ")
            .next()
            .and_then(|rest| rest.chars().next())
            .expect("a state")
    }

    #[test]
    fn a_held_thread_stands_still_and_runs_on_afterwards() {
        let mut child = busy_shell("while :; do :; done");
        let (tracer, tid) = tracer_of(&child);
        for _ in 0..100 {
            assert_eq!(tracer.with_held(tid, || state_of(&child)), Ok('t'));
        }
        assert!(matches!(state_of(&child), 'R' | 'S'));
        child
            .kill()
            .and_then(|()| child.wait())
            .expect("it can be killed");
    }

    #[test]
    fn the_exit_status_of_our_child_is_left_for_its_parent() {
        for _ in 0..20 {
            let mut child = busy_shell("i=0; while [ $i -lt 2000 ]; do i=$((i+1)); done; exit 42");
            let (tracer, tid) = tracer_of(&child);
            while tracer.with_held(tid, || ()).is_ok() {}
            assert_eq!(child.wait().expect("it ends").code(), Some(42));
        }
    }

    #[test]
    fn a_signal_that_arrives_under_our_hands_is_passed_on() {
        for _ in 0..20 {
            let script = "trap 'exit 7' USR1; echo ready; while :; do :; done";
            let mut child = Command::new("sh")
                .args(["-c", script])
                .stdout(Stdio::piped())
                .spawn()
                .expect("there is a shell");
            let mut ready = [0; 6];
            let stdout = child.stdout.as_mut().expect("it is piped");
            stdout.read_exact(&mut ready).expect("the trap is set");
            let (tracer, tid) = tracer_of(&child);
            for _ in 0..50 {
                tracer.with_held(tid, || ()).expect("it runs");
            }
            // SAFETY: plain system call.
            unsafe { libc::kill(tid.as_raw(), libc::SIGUSR1) };
            while tracer.with_held(tid, || ()).is_ok() {}
            let status = child.wait().expect("it ends");
            assert_eq!((status.code(), status.signal()), (Some(7), None));
        }
    }
}

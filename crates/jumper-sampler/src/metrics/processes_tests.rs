use super::*;
use std::process::{Child, Command};

struct Sleeper(Child);

impl Sleeper {
    fn start() -> Self {
        Self(
            Command::new("sleep")
                .arg("60")
                .spawn()
                .expect("bug: `sleep` cannot be started"),
        )
    }
}

impl Drop for Sleeper {
    fn drop(&mut self) {
        // It may have been ended by the test.
        let _ = self.0.kill().and_then(|()| self.0.wait());
    }
}

fn processes(root: u32, children: Children) -> Processes {
    let units = MachineUnits::read().expect("bug: no auxiliary vector");
    let discovery = Discovery::Children(children);
    let roots = Roots::default();
    Processes::with_discovery(
        Pid::new(root),
        Membership::default(),
        discovery,
        &roots,
        units,
    )
    .expect("bug: the root is not there")
}

fn pids(tree: &Processes) -> Vec<u32> {
    tree.running(Level::Process)
        .map(|(process, _)| process.pid)
        .collect()
}

#[test]
fn a_child_is_found_by_the_table_of_processes_too() {
    let mut tree = processes(std::process::id(), Children::Table(HashMap::new()));
    tree.scan(Timestamp::now());
    let child = Sleeper::start();
    tree.scan(Timestamp::now());
    assert!(pids(&tree).contains(&child.0.id()));
}

#[test]
fn nothing_is_left_of_a_tree_whose_root_is_gone() {
    let root = Sleeper::start();
    let mut tree = processes(root.0.id(), Children::detect(&Roots::default()));
    tree.scan(Timestamp::now());
    assert_eq!(pids(&tree), [root.0.id()]);
    assert_eq!(tree.total(Level::Process, Counter::UserTicks), Some(0));
    drop(root);
    tree.scan(Timestamp::now());
    assert!(pids(&tree).is_empty() && !tree.has_root());
    assert!(tree.total(Level::Process, Counter::UserTicks).is_some());
}

#[test]
fn a_reused_number_is_another_process() {
    let root = Sleeper::start();
    let mut tree = processes(root.0.id(), Children::detect(&Roots::default()));
    let stat = tree.processes[0].stat.as_mut();
    stat.expect("bug: the root was read").start_ticks -= 1;
    tree.scan(Timestamp::now());
    assert!(pids(&tree).is_empty());
}

#[test]
fn a_reused_number_below_the_root_is_a_new_member() {
    let mut tree = processes(std::process::id(), Children::detect(&Roots::default()));
    let child = Sleeper::start();
    tree.scan(Timestamp::now());
    let at = tree
        .processes
        .iter()
        .position(|process| process.pid == child.0.id());
    let known = &mut tree.processes[at.expect("bug: the child is not found")];
    let serial = known.serial;
    known
        .stat
        .as_mut()
        .expect("bug: the child was read")
        .start_ticks -= 1;
    // As if it had run since.
    known.clock = None;
    tree.scan(Timestamp::now());
    let (now, _) = tree
        .running(Level::Process)
        .find(|(process, _)| process.pid == child.0.id())
        .expect("it is dropped");
    assert!(now.serial > serial);
}

#[test]
fn uptime_becomes_ticks() {
    assert_eq!(ticks_from_uptime("1373.90 2600.11\n", 100), Some(137_390));
    assert_eq!(ticks_from_uptime("2.50 1.00\n", 1024), Some(2560));
    assert_eq!(ticks_from_uptime("\n", 100), None);
}

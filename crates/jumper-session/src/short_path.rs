//! Paths of modules as people know them: relative to where Python looked for them.

use std::borrow::Cow;
use std::collections::HashSet;

/// The directories in which a program looked for modules.
#[derive(Clone, Debug)]
pub struct ShortPaths<'a> {
    /// The parts of each.
    directories: Vec<Vec<&'a str>>,
}

impl<'a> ShortPaths<'a> {
    /// Of a program that was started in `cwd`, from where it counted what is relative in `sys_path`.
    pub(crate) fn new(sys_path: &'a [String], cwd: Option<&'a str>) -> Self {
        let cwd = cwd.filter(|cwd| cwd.starts_with('/'));
        let mut directories: Vec<Vec<&str>> = Vec::new();
        let mut known = HashSet::new();
        for entry in sys_path {
            let parts = match (entry.starts_with('/'), cwd) {
                (true, _) => normal_parts([entry.as_str()]),
                (false, Some(cwd)) => normal_parts([cwd, entry]),
                (false, None) => continue,
            };
            if known.insert(parts.clone()) {
                directories.push(parts);
            }
        }
        Self { directories }
    }

    /// The path relative to the directory from which it has the fewest parts, or as it is if none makes it shorter.
    ///
    /// Only absolute paths have a place relative to others: what a relative one stands for was up to the program.
    pub fn of<'p>(&self, path: &'p str) -> Cow<'p, str> {
        if !path.starts_with('/') {
            return path.into();
        }
        let parts = normal_parts([path]);
        let mut shortest = None;
        let mut fewest = path.split('/').count();
        for directory in &self.directories {
            let pairs = directory.iter().zip(&parts);
            let common = pairs.take_while(|(one, other)| one == other).count();
            let up = directory.len() - common;
            let count = (up + parts.len() - common).max(1);
            if count < fewest {
                fewest = count;
                shortest = Some((up, common));
            }
        }
        let Some((up, common)) = shortest else {
            return path.into();
        };
        let relative: Vec<&str> = std::iter::repeat_n("..", up)
            .chain(parts[common..].iter().copied())
            .collect();
        match relative.is_empty() {
            true => ".".into(),
            false => relative.join("/").into(),
        }
    }
}

/// The end of a path that people know a file by: what follows `site-packages`, or `lib/python3.X`, else the
/// last two parts.
pub fn path_end(path: &str) -> &str {
    library_path(path).unwrap_or_else(|| {
        let mut slashes = path.rmatch_indices('/').map(|(index, _)| index + 1);
        slashes.nth(1).map_or(path, |start| &path[start..])
    })
}

/// The path of a module within the folder of libraries that it is in; `None` where it is in none.
///
/// `/lib/` alone does not make a library: only `lib/pythonX.Y` does, and a folder that package managers
/// install to.
pub fn library_path(path: &str) -> Option<&str> {
    for folder in ["/site-packages/", "/dist-packages/"] {
        if let Some((_, rest)) = path.rsplit_once(folder) {
            return Some(rest);
        }
    }
    let (start, _) = path.match_indices("/lib/python").next()?;
    let rest = &path[start + "/lib/python".len()..];
    let (version, module) = rest.split_once('/')?;
    let is_version = !version.is_empty() && version.chars().all(|c| c.is_ascii_digit() || c == '.');
    is_version.then_some(module)
}

/// The parts of an absolute path, which is given in pieces. None of them says to stay or to go up.
fn normal_parts<'a>(pieces: impl IntoIterator<Item = &'a str>) -> Vec<&'a str> {
    let mut parts = Vec::new();
    for part in pieces.into_iter().flat_map(|piece| piece.split('/')) {
        match part {
            "" | "." => {}
            ".." => drop(parts.pop()),
            part => parts.push(part),
        }
    }
    parts
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_is_relative_to_the_nearest_directory_of_modules() {
        let sys_path = [
            "/usr/lib/python3.12",
            "/usr/lib/python3.12/site-packages",
            "/home/u/app/./x/..",
            "",
            "relative",
        ];
        let sys_path = sys_path.map(String::from);
        let short = |path| ShortPaths::new(&sys_path, None).of(path).into_owned();
        assert_eq!(
            short("/usr/lib/python3.12/json/decoder.py"),
            "json/decoder.py"
        );
        assert_eq!(short("/usr/lib/python3.12/site-packages/a/b.py"), "a/b.py");
        assert_eq!(short("/home/u/app/main.py"), "main.py");
        assert_eq!(short("/home/u/other/main.py"), "../other/main.py");
        assert_eq!(short("/home/u/app"), ".");
        assert_eq!(short("/x.py"), "/x.py");
        assert_eq!(short("<frozen a/b>"), "<frozen a/b>");
        assert_eq!(short("main.py"), "main.py");
        assert_eq!(ShortPaths::new(&[], None).of("/a/b.py"), "/a/b.py");
    }

    #[test]
    fn what_is_relative_counts_from_where_the_program_was_started() {
        let sys_path = ["", "lib", "../shared"].map(String::from);
        let paths = ShortPaths::new(&sys_path, Some("/home/u/app"));
        assert_eq!(paths.of("/home/u/app/main.py"), "main.py");
        assert_eq!(paths.of("/home/u/app/lib/a/b.py"), "a/b.py");
        assert_eq!(paths.of("/home/u/shared/c.py"), "c.py");
        for cwd in [None, Some("relative")] {
            let paths = ShortPaths::new(&sys_path, cwd);
            assert_eq!(paths.of("/home/u/app/main.py"), "/home/u/app/main.py");
        }
    }

    #[test]
    fn libraries_are_told_from_a_firm_s_own_lib_folder() {
        assert_eq!(
            library_path("/usr/lib/python3.11/json/decoder.py"),
            Some("json/decoder.py")
        );
        assert_eq!(
            library_path("/v/lib/python3.9/site-packages/numpy/core.py"),
            Some("numpy/core.py")
        );
        assert_eq!(library_path("/work/acme/lib/billing.py"), None);
        assert_eq!(library_path("/work/lib/python-tools/x.py"), None);
        assert_eq!(path_end("/home/me/project/app/main.py"), "app/main.py");
        assert_eq!(path_end("main.py"), "main.py");
    }
}

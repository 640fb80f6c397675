//! Paths of modules as people know them: relative to where Python looked for them.

use std::borrow::Cow;

/// The path relative to the directory of modules from which it has the fewest parts, or as it is if none makes it
/// shorter.
///
/// Only absolute paths have a place relative to others: what a relative one stands for was up to the program.
pub(crate) fn short_path<'a>(path: &'a str, sys_path: &[String]) -> Cow<'a, str> {
    if !path.starts_with('/') {
        return path.into();
    }
    let parts = normal_parts(path);
    let mut shortest = Cow::Borrowed(path);
    let mut fewest = path.split('/').count();
    for directory in sys_path.iter().filter(|entry| entry.starts_with('/')) {
        let directory = normal_parts(directory);
        let pairs = directory.iter().zip(&parts);
        let common = pairs.take_while(|(one, other)| one == other).count();
        let up = directory.len() - common;
        let count = (up + parts.len() - common).max(1);
        if count < fewest {
            fewest = count;
            let relative: Vec<&str> = std::iter::repeat_n("..", up)
                .chain(parts[common..].iter().copied())
                .collect();
            shortest = match relative.is_empty() {
                true => ".".into(),
                false => relative.join("/").into(),
            };
        }
    }
    shortest
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

/// The parts of an absolute path, of which none says to stay or to go up.
fn normal_parts(path: &str) -> Vec<&str> {
    let mut parts = Vec::new();
    for part in path.split('/') {
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
        let short = |path| short_path(path, &sys_path).into_owned();
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
        assert_eq!(short_path("/a/b.py", &[]), "/a/b.py");
    }
}

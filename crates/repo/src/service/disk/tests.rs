//! Files of the directory: how many stay, which go, who may look at them.

use std::os::unix::fs::PermissionsExt as _;

use pintle_model::Object;
use pintle_model::tree::TreePath;
use pintle_render::RenderedObject;

use super::*;

/// 2027-01-15, so that no test depends on when it runs.
const NOW: Duration = Duration::from_secs(1_800_000_000);

fn now() -> SystemTime {
    SystemTime::UNIX_EPOCH + NOW
}

fn render(text: &str) -> Rendered {
    let object = format!(r#"{{"apiVersion":"v1","kind":"ConfigMap","data":{{"text":{text:?}}}}}"#);
    let mut rendered = super::super::render::nothing();
    rendered.objects.push(RenderedObject {
        object: Object::from_json(object.as_bytes()).unwrap(),
        path: TreePath::root(),
        line: 1,
    });
    rendered
}

struct Place {
    directory: tempfile::TempDir,
    disk: Disk,
    secret: Sensitive<Vec<u8>>,
}

impl Place {
    fn new(bounds: Bounds) -> Self {
        let directory = tempfile::tempdir().unwrap();
        Self {
            disk: Disk::new(directory.path().join("renders"), bounds),
            directory,
            secret: Sensitive::new(b"of the installation".to_vec()),
        }
    }

    fn at<T>(&self, asked: &str, now: SystemTime, ask: impl FnOnce(&Question<'_>) -> T) -> T {
        ask(&Question {
            asked: asked.into(),
            secret: &self.secret,
            now,
        })
    }

    fn keep(&self, asked: &str, text: &str) {
        self.at(asked, now(), |q| self.disk.keep(q, &render(text)));
    }

    fn find(&self, asked: &str) -> Option<String> {
        let found = self.at(asked, now(), |q| self.disk.find(q, &Arc::default()))?;
        Some(
            found.objects[0]
                .object
                .value()
                .str_at(&["data", "text"])
                .unwrap()
                .to_owned(),
        )
    }

    fn files(&self) -> Vec<PathBuf> {
        let listing = fs::read_dir(self.directory.path().join("renders")).unwrap();
        listing.map(|entry| entry.unwrap().path()).collect()
    }

    /// Says when a file was written or used last.
    fn age(&self, path: &Path, age: Duration) {
        let file = File::options().write(true).open(path).unwrap();
        file.set_modified(now() - age).unwrap();
    }
}

#[test]
fn what_was_kept_last_is_found() {
    let place = Place::new(Bounds::default());
    assert_eq!(place.find("a"), None);
    place.keep("a", "old");
    place.keep("b", "other");
    place.keep("a", "new");
    assert_eq!(place.find("a").as_deref(), Some("new"));
    assert_eq!(place.find("b").as_deref(), Some("other"));
    assert_eq!(place.find("c"), None);
    assert_eq!(place.files().len(), 2);
}

#[test]
fn nobody_else_may_look() {
    let place = Place::new(Bounds::default());
    let renders = place.directory.path().join("renders");
    fs::create_dir(&renders).unwrap();
    fs::set_permissions(&renders, fs::Permissions::from_mode(0o755)).unwrap();
    place.keep("a", "text");
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(&renders), 0o700);
    assert_eq!(place.files().iter().map(|f| mode(f)).collect::<Vec<_>>(), [0o600]);
}

#[test]
fn a_damaged_file_goes_and_another_builds_stays() {
    let place = Place::new(Bounds::default());
    place.keep("a", "text");
    let file = place.files().remove(0);
    let whole = fs::read(&file).unwrap();
    let mut other_build = whole.clone();
    other_build[20] ^= 1;
    fs::write(&file, &other_build).unwrap();
    assert_eq!(place.find("a"), None);
    assert!(file.exists());
    let mut damaged = whole.clone();
    *damaged.last_mut().unwrap() ^= 1;
    for bytes in [&damaged[..], &whole[..whole.len() / 2], b""] {
        fs::write(&file, bytes).unwrap();
        assert_eq!(place.find("a"), None);
        assert!(!file.exists());
    }
    // A file under another's name is not that other's.
    place.keep("a", "text");
    place.keep("b", "text");
    let files = place.files();
    fs::copy(&files[0], &files[1]).unwrap();
    assert_eq!([place.find("a"), place.find("b")].iter().flatten().count(), 1);
}

#[test]
fn the_oldest_go_when_there_are_too_many() {
    let place = Place::new(Bounds {
        entries: 16,
        ..Bounds::default()
    });
    for number in 0..16 {
        let before = place.files_or_none();
        place.keep(&format!("{number}"), "text");
        let new = place.files().into_iter().find(|f| !before.contains(f)).unwrap();
        place.age(&new, Duration::from_secs(1_000 - number));
    }
    assert_eq!(place.files().len(), 16);
    place.keep("one more", "text");
    // 16 and an eighth less.
    assert_eq!(place.files().len(), 14);
    let kept = |asked: &str| place.find(asked).is_some();
    assert!(!kept("0") && !kept("2") && kept("3") && kept("15") && kept("one more"));
}

impl Place {
    fn files_or_none(&self) -> Vec<PathBuf> {
        if self.directory.path().join("renders").exists() {
            self.files()
        } else {
            Vec::new()
        }
    }
}

#[test]
fn processes_share_a_directory() {
    let bounds = Bounds {
        entries: 8,
        ..Bounds::default()
    };
    let place = Place::new(bounds);
    let other = Disk::new(place.directory.path().join("renders"), bounds);
    // The clock that files of this moment are dated by, or temporary files would be found abandoned.
    let now = fs::metadata(place.directory.path()).unwrap().modified().unwrap();
    std::thread::scope(|scope| {
        for disk in [&place.disk, &other, &place.disk, &other] {
            let place = &place;
            scope.spawn(move || {
                for number in 0..200 {
                    let asked = format!("{}", number % 100);
                    place.at(&asked, now, |q| {
                        disk.keep(q, &render(&asked));
                        // It may have been dropped meanwhile, and is never anything else.
                        if let Some(found) = disk.find(q, &Arc::default()) {
                            let text = found.objects[0].object.value().str_at(&["data", "text"]);
                            assert_eq!(text, Some(asked.as_str()));
                        }
                    });
                }
            });
        }
    });
    for disk in [&place.disk, &other] {
        assert!(!disk.warned.load(Ordering::Relaxed) && !disk.found_damage.load(Ordering::Relaxed));
    }
    // Each knows what it wrote itself since it counted all: twice the bound, and one more for each thread that did not wait.
    assert!(place.files().len() <= 8 * 2 + 4, "{:?}", place.files());
}

#[test]
fn bytes_are_bounded_in_all_and_of_each() {
    let place = Place::new(Bounds {
        bytes: 20_000,
        entry_bytes: 3_000,
        ..Bounds::default()
    });
    for number in 0..50 {
        place.keep(&format!("{number}"), &"x".repeat(1_000));
        let files = place.files();
        let bytes: u64 = files.iter().map(|f| fs::metadata(f).unwrap().len()).sum();
        assert!(bytes <= 20_000, "{bytes}");
    }
    assert!(place.files().len() > 10);
    place.keep("large", &"x".repeat(3_000));
    assert_eq!(place.find("large"), None);
}

#[test]
fn what_is_used_is_not_the_oldest() {
    let place = Place::new(Bounds::default());
    place.keep("a", "text");
    let file = place.files().remove(0);
    place.age(&file, MARK_AFTER * 2);
    assert!(place.find("a").is_some());
    assert_eq!(fs::metadata(&file).unwrap().modified().unwrap(), now());
    // Used again soon, it is left alone.
    place.age(&file, MARK_AFTER / 2);
    assert!(place.find("a").is_some());
    assert_eq!(fs::metadata(&file).unwrap().modified().unwrap(), now() - MARK_AFTER / 2);
}

#[test]
fn what_a_dead_process_left_is_swept() {
    let place = Place::new(Bounds::default());
    let renders = place.directory.path().join("renders");
    fs::create_dir(&renders).unwrap();
    for (name, age) in [
        ("tmp-1-0", ABANDONED_AFTER * 2),
        ("tmp-1-1", ABANDONED_AFTER / 2),
        ("mine", ABANDONED_AFTER * 9),
    ] {
        fs::write(renders.join(name), "half").unwrap();
        place.age(&renders.join(name), age);
    }
    place.keep("a", "text");
    let left = |name: &str| renders.join(name).exists();
    assert!(!left("tmp-1-0") && left("tmp-1-1") && left("mine"));
}

#[test]
fn a_directory_that_cannot_be_costs_nothing() {
    let file = tempfile::NamedTempFile::new().unwrap();
    let place = Place {
        disk: Disk::new(file.path().join("renders"), Bounds::default()),
        ..Place::new(Bounds::default())
    };
    for _ in 0..3 {
        place.keep("a", "text");
        assert_eq!(place.find("a"), None);
    }
    assert!(place.disk.warned.load(Ordering::Relaxed));
}

//! What a neighbour can do between two steps of somebody, as shell scripts: the kernel decides which of it the neighbour's
//! user may do. Knows where things are, not what is being done to them.

/// One thing that a neighbour does.
pub(crate) struct Attack {
    pub(crate) name: &'static str,
    pub(crate) script: &'static str,
    /// Whether the holders' locks are still where everybody looks for them, so that leases must not clash.
    pub(crate) leaves_locks: bool,
    /// Whether it leaves a file of its own in the worktree, which must be there afterwards.
    pub(crate) leaves_guest: bool,
}

const fn attack(name: &'static str, script: &'static str) -> Attack {
    Attack { name, script, leaves_locks: true, leaves_guest: false }
}

/// Replaces what locks are on, against which nobody is promised anything but that nothing foreign is touched.
const fn replacing(name: &'static str, script: &'static str) -> Attack {
    Attack { leaves_locks: false, ..attack(name, script) }
}

const fn leaving_guest(name: &'static str, script: &'static str) -> Attack {
    Attack { leaves_guest: true, ..attack(name, script) }
}

/// On the file of locks and labels. Variables: `REG` the registry, `NET` its part for this network namespace, `CANARY` a
/// directory that is nobody's business, `BASE` the first port of the pool, `COUNT` their number.
pub(crate) const PORTS: &[Attack] = &[
    attack("the ports file is emptied", "truncate -c -s 0 $NET/ports"),
    attack("the ports file is cut inside a label", "truncate -c -s $((BASE * 64 + 71)) $NET/ports"),
    attack("the ports file is blown up", "truncate -c -s 99999999 $NET/ports"),
    attack(
        "labels are overwritten",
        "head -c $((COUNT * 64)) /dev/urandom | dd of=$NET/ports bs=64 seek=$BASE conv=notrunc,nocreat status=none",
    ),
    attack(
        "labels are wiped",
        "dd if=/dev/zero of=$NET/ports bs=64 seek=$BASE count=$COUNT conv=notrunc,nocreat status=none",
    ),
    attack(
        "the header is overwritten",
        "head -c 64 /dev/urandom | dd of=$NET/ports bs=64 conv=notrunc,nocreat status=none",
    ),
    attack("the header is wiped", "dd if=/dev/zero of=$NET/ports bs=64 count=1 conv=notrunc,nocreat status=none"),
    attack("the ports file is cut inside the header", "truncate -c -s 40 $NET/ports"),
    replacing("the ports file is removed", "rm -f $NET/ports"),
    replacing(
        "the ports file becomes another one",
        "cp $NET/ports $NET/other && chmod 666 $NET/other && mv -f $NET/other $NET/ports",
    ),
    replacing("the ports file becomes a link", "mv $NET/ports $NET/away && ln -s $CANARY/precious $NET/ports"),
    replacing("the ports file becomes a hard link", "mv $NET/ports $NET/away && ln $CANARY/precious $NET/ports"),
    replacing(
        "the ports file becomes a hard link to a large one",
        "mv $NET/ports $NET/away && ln $CANARY/large $NET/ports",
    ),
    replacing(
        "the ports file becomes a link to nothing",
        "mv $NET/ports $NET/away && ln -s $CANARY/nothing $NET/ports",
    ),
    replacing("the ports file becomes a pipe", "rm -f $NET/ports && mkfifo -m 666 $NET/ports"),
    replacing("the ports file becomes a directory", "rm -f $NET/ports && mkdir $NET/ports"),
];

/// On the registry's directories.
pub(crate) const FOLDERS: &[Attack] = &[
    replacing("the registry becomes a link", "mv $REG $REG.away && ln -s $CANARY $REG"),
    replacing("the registry becomes a link to one that looks right", "mv $REG $REG.away && ln -s $CANARY/open $REG"),
    replacing("the registry is removed", "rm -rf $REG"),
    replacing("the registry becomes a file", "mv $REG $REG.away && touch $REG"),
    replacing("the namespace's directory becomes a link", "mv $NET $NET.away && ln -s $CANARY $NET"),
    replacing("the namespace's directory becomes a link to a shared one", "mv $NET $NET.away && ln -s $CANARY/open $NET"),
    replacing("the namespace's directory is removed", "rm -rf $NET"),
    replacing("the namespace's directory is a fresh one", "mv $NET $NET.away && mkdir -m 1777 $NET"),
    replacing("the directory of records becomes a link", "mv $NET/envs $NET/envs.away && ln -s $CANARY $NET/envs"),
    replacing("the directory of records becomes a link to records", "mv $NET/envs $NET/envs.away && ln -s $CANARY/envs $NET/envs"),
    replacing("the directory of records is removed", "rm -rf $NET/envs"),
    replacing("the directory of records becomes a pipe", "rm -rf $NET/envs && mkfifo $NET/envs"),
    attack("the memory of sticky ports becomes a link", "rm -rf $NET/sticky; ln -s $CANARY $NET/sticky"),
    attack("what keeps the directories is removed", "rm -f $REG/.keep $NET/.keep $NET/envs/.keep"),
    attack(
        "what keeps the directories becomes a link",
        "for directory in $REG $NET $NET/envs; do rm -f $directory/.keep && ln -s $CANARY/precious $directory/.keep; done",
    ),
    attack(
        "what keeps the directories becomes a directory",
        "for directory in $REG $NET $NET/envs; do rm -f $directory/.keep && mkdir -p $directory/.keep/a; done",
    ),
    attack("the directories lose the sticky bit", "chmod 777 $REG $NET $NET/envs"),
    attack("the directories become private", "chmod 700 $REG $NET $NET/envs"),
    attack(
        "the directories are filled with junk",
        "for directory in $REG $NET $NET/envs; do for n in 1 2 3 4 5 6 7 8 9; do
            echo junk > $directory/junk$n; echo '{' > $directory/00000000000$n.json; ln -s $CANARY/precious $directory/a0000000000$n.json
            echo '{' > $directory/00000000000$n.making; ln -s $CANARY/precious $directory/b0000000000$n.making
            echo junk > $directory/ports.new-000000000000000$n; mkdir $directory/net-$n; done; done",
    ),
];

/// On records.
pub(crate) const RECORDS: &[Attack] = &[
    attack("records are removed", "rm -f $NET/envs/*.*"),
    attack("records are emptied", "for record in $NET/envs/*.*; do : > $record; done"),
    attack(
        "records become links",
        "for record in $NET/envs/*; do rm -f $record && ln -s $CANARY/precious $record; done",
    ),
    attack("records become hard links", "for record in $NET/envs/*; do ln -f $CANARY/precious $record; done"),
    attack("records become pipes", "for record in $NET/envs/*; do rm -f $record && mkfifo -m 666 $record; done"),
    attack("records become directories", "for record in $NET/envs/*; do rm -f $record && mkdir $record; done"),
    attack(
        "records become somebody else's",
        "for record in $NET/envs/*; do rm -f $record && echo '{}' > $record; done",
    ),
    attack(
        "records name things outside",
        "sed -i -e \"s#$TEMP/portalloc-#$CANARY/portalloc-#\" -e \"s#$WORK/[^\\\"]*#$CANARY/precious#\" $NET/envs/*.*",
    ),
    attack(
        "records name things upwards",
        "sed -i -e \"s#$TEMP/portalloc-#$TEMP/../canary/portalloc-#\" -e \"s#$WORK/[^\\\"]*#$WORK/../canary/.env.isolation#\" $NET/envs/*.*",
    ),
    attack(
        "records get the names of finished ones",
        "for record in $NET/envs/*.making; do mv -f $record ${record%.making}.json; done",
    ),
    attack(
        "records get the names of unfinished ones",
        "for record in $NET/envs/*.json; do mv -f $record ${record%.json}.making; done",
    ),
    attack(
        "records have both names",
        "for record in $NET/envs/*.json; do cp -f $record ${record%.json}.making; done
            for record in $NET/envs/*.making; do cp -f $record ${record%.making}.json; done",
    ),
    attack("records have huge numbers", "sed -i -e 's#\\([0-9]\\{3,\\}\\)#99999999999\\1#' $NET/envs/*.*"),
    attack("records have odd types", "sed -i -e 's#\"temp_dir\": *#\"temp_dir\": [1], \"old\": #' $NET/envs/*.*"),
];

/// On temp dirs: `TEMP` is the directory that they are in.
pub(crate) const TEMP_DIRS: &[Attack] = &[
    attack("temp dirs become links", "for dir in $TEMP/portalloc-*; do mv $dir $dir.away && ln -s $CANARY $dir; done"),
    attack(
        "temp dirs become links to a file",
        "for dir in $TEMP/portalloc-*; do mv $dir $dir.away && ln -s $CANARY/precious $dir; done",
    ),
    attack("temp dirs become files", "for dir in $TEMP/portalloc-*; do mv $dir $dir.away && echo file > $dir; done"),
    attack("temp dirs are removed", "rm -rf $TEMP/portalloc-*"),
    attack(
        "temp dirs become somebody else's",
        "for dir in $TEMP/portalloc-*; do mv $dir $dir.away && mkdir $dir && touch $dir/file; done",
    ),
    attack(
        "directories in temp dirs become links",
        "for dir in $TEMP/portalloc-*/*; do mv $dir $TEMP/inner.away && ln -s $CANARY $dir; done",
    ),
    attack(
        "directories below those become links",
        "for dir in $TEMP/portalloc-*/*/*; do mv $dir $TEMP/inner.away && ln -s $CANARY $dir; done",
    ),
];

/// On env files: `WORK` is the worktree.
pub(crate) const ENV_FILES: &[Attack] = &[
    attack("the env file becomes a link", "ln -s $CANARY/precious $WORK/new && mv -fT $WORK/new $WORK/.env.isolation"),
    attack(
        "the env file becomes a link to another",
        "ln -s $CANARY/.env.isolation $WORK/new && mv -fT $WORK/new $WORK/.env.isolation",
    ),
    attack(
        "the env file becomes a hard link",
        "ln $CANARY/precious $WORK/new && mv -fT $WORK/new $WORK/.env.isolation",
    ),
    leaving_guest("the env file becomes a guest's", "echo guest > $WORK/new && mv -fT $WORK/new $WORK/.env.isolation"),
    leaving_guest(
        "all env files become a guest's",
        "for file in $WORK/.env.isolation*; do echo guest > $WORK/new && mv -fT $WORK/new $file; done; echo guest > $WORK/.env.isolation",
    ),
    attack("the env file becomes a pipe", "mkfifo -m 666 $WORK/new && mv -fT $WORK/new $WORK/.env.isolation"),
    attack("the env file becomes a directory", "rm -f $WORK/.env.isolation; mkdir $WORK/.env.isolation"),
    attack("env files are removed", "rm -f $WORK/.env.isolation*"),
    attack("env files are emptied", "for file in $WORK/.env.isolation*; do : > $file; done"),
    attack(
        "env files beside become links",
        "for file in $WORK/.env.isolation.*; do ln -s $CANARY/precious $WORK/new && mv -fT $WORK/new $file; done",
    ),
];

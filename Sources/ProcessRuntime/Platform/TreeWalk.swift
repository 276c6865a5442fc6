import Glibc

/// What is done on a ``TreeWalk``.
protocol TreeVisitor {
    /// Deals with an entry; a folder is left to be entered.
    mutating func visit(_ name: [CChar], in folder: Int32) -> TreeStep
    /// Whether a folder that may not be read was made readable.
    func unlock(_ name: [CChar], in folder: Int32) -> Bool
    /// A folder, before what is in it. `false` with errno stops the walk.
    func enter(_ folder: Int32) -> Bool
    /// A folder, after what is in it. `.folder` goes through it once more.
    func leave(_ name: [CChar], in folder: Int32) -> TreeStep
}

enum TreeStep {
    case done
    case folder
    case failed(errno: Int32)
}

/// Goes through a tree of files that somebody else may change meanwhile, as another user too.
///
/// Everything is named by the descriptor of its folder and a name, never by a path: a folder that is replaced by a link
/// is not followed, and a tree may be deeper than a path may be long. Few descriptors are open however deep it is: the
/// upper folders are closed and found again by `..`, which must then be the same folder as before.
final class TreeWalk<Visitor: TreeVisitor> {
    struct Failure: Error {
        let path: String
        let errno: Int32
    }

    private struct Level {
        let name: [CChar]
        /// -1 while closed.
        var descriptor: Int32
        let device: dev_t
        let inode: ino_t
        var names: [[CChar]]
        var passes = 1
    }

    /// Folders that are open at the same time.
    private let openLimit = 32
    /// How often one folder is gone through while somebody puts new things into it.
    private let passLimit = 100

    private let path: String
    private let base: Int32
    private let first: [CChar]
    private var visitor: Visitor
    private var levels: [Level] = []
    private var closedCount = 0

    /// - Parameter path: its last component is not followed; the way to it is.
    init(_ path: String, _ visitor: Visitor) throws(Failure) {
        self.path = path
        self.visitor = visitor
        let slash = path.lastIndex(of: "/")
        let parent = slash.map { $0 == path.startIndex ? "/" : String(path[..<$0]) } ?? "."
        first = Array(String(path[(slash.map(path.index(after:)) ?? path.startIndex)...]).utf8CString)
        base = open(parent, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard base >= 0 else { throw Failure(path: path, errno: errno) }
    }

    deinit {
        for level in levels where level.descriptor >= 0 { close(level.descriptor) }
        if base >= 0 { close(base) }
    }

    func run() throws(Failure) {
        try take(first, in: base)
        while let last = levels.indices.last {
            if let name = levels[last].names.popLast() {
                try take(name, in: levels[last].descriptor)
            } else {
                try leave(last)
            }
        }
    }

    private func take(_ name: [CChar], in folder: Int32) throws(Failure) {
        switch visitor.visit(name, in: folder) {
        case .done: return
        case .folder: try enter(name, in: folder)
        case .failed(let code): throw failure(code, name)
        }
    }

    private func enter(_ name: [CChar], in folder: Int32) throws(Failure) {
        let flags = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC
        var descriptor = openat(folder, name, flags)
        if descriptor < 0, errno == EACCES {
            descriptor = visitor.unlock(name, in: folder) ? openat(folder, name, flags) : -1
        }
        guard descriptor >= 0 else {
            if errno == ENOENT { return }
            throw failure(errno, name)
        }
        var status = stat()
        guard fstat(descriptor, &status) == 0, visitor.enter(descriptor),
            let names = FolderListing.names(in: descriptor)
        else {
            let code = errno
            close(descriptor)
            throw failure(code, name)
        }
        levels.append(
            Level(name: name, descriptor: descriptor, device: status.st_dev, inode: status.st_ino, names: names))
        if levels.count - closedCount > openLimit {
            close(levels[closedCount].descriptor)
            levels[closedCount].descriptor = -1
            closedCount += 1
        }
    }

    private func leave(_ last: Int) throws(Failure) {
        if last > 0, levels[last - 1].descriptor < 0 { try reopen(last - 1) }
        let level = levels[last]
        switch visitor.leave(level.name, in: last > 0 ? levels[last - 1].descriptor : base) {
        case .done:
            close(level.descriptor)
            levels.removeLast()
        case .folder:
            guard level.passes < passLimit, let names = FolderListing.names(in: level.descriptor) else {
                throw failure(level.passes < passLimit ? errno : ENOTEMPTY)
            }
            levels[last].passes += 1
            levels[last].names = names
        case .failed(let code): throw failure(code)
        }
    }

    private func reopen(_ index: Int) throws(Failure) {
        let descriptor = openat(levels[index + 1].descriptor, "..", O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard descriptor >= 0 else { throw failure(errno) }
        var status = stat()
        guard fstat(descriptor, &status) == 0, status.st_dev == levels[index].device,
            status.st_ino == levels[index].inode
        else {
            close(descriptor)
            // Somebody moved it to another place.
            throw failure(ESTALE)
        }
        levels[index].descriptor = descriptor
        closedCount = index
    }

    /// At the deepest folder, or an entry of it; the middle of a very long path is left out.
    private func failure(_ code: Int32, _ name: [CChar]? = nil) -> Failure {
        let names = (levels.dropFirst().map(\.name) + (levels.isEmpty ? [] : [name].compactMap(\.self))).map { name in
            String(decoding: name.dropLast().map(UInt8.init(bitPattern:)), as: UTF8.self)
        }
        let shown = names.count > 8 ? names.prefix(4) + ["…"] + names.suffix(3) : names[...]
        return Failure(path: ([path] + shown).joined(separator: "/"), errno: code)
    }
}

import Foundation
import Glibc
import Runtimes
import Testing
import TestSupport

@testable import ProcessRuntime

/// Trees that somebody made to be hard to delete.
struct TreeWalkTests {
    /// 60 folders of 100 characters: no path leads to the last.
    private static func makeDeepTree(_ path: String, levels: Int = 60) throws {
        try SmallFile.createFolder(path, mode: 0o700)
        var folder = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        defer { close(folder) }
        let name = String(repeating: "d", count: 100)
        for _ in 0..<levels {
            try #require(mkdirat(folder, name, 0o700) == 0)
            let file = openat(folder, "file", O_WRONLY | O_CREAT | O_CLOEXEC, 0o600)
            try #require(file >= 0)
            close(file)
            let next = openat(folder, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
            try #require(next >= 0)
            close(folder)
            folder = next
        }
    }

    private static func exists(_ path: String) -> Bool {
        var status = stat()
        return lstat(path, &status) == 0
    }

    @Test(arguments: [1, 31, 32, 33, 60, 500]) func aTreeDeeperThanAPathMayBeLongIsRemoved(_ levels: Int) async throws {
        try await withTemporaryFolder { folder in
            try Self.makeDeepTree(folder + "/deep", levels: levels)
            try FolderRemoval.remove(folder + "/deep")
            #expect(!Self.exists(folder + "/deep"))
        }
    }

    @Test(.enabled(if: geteuid() == 0)) func aTreeDeeperThanAPathMayBeLongIsGivenAway() async throws {
        try await withTemporaryFolder { folder in
            try Self.makeDeepTree(folder + "/deep")
            try VolumeOwner.give(folder + "/deep", to: try ServiceAccount.named("nobody"))
            let counter = OwnerCount()
            try TreeWalk(folder + "/deep", counter).run()
            #expect(counter.owners == [try ServiceAccount.named("nobody").uid: 121])
            try FolderRemoval.remove(folder + "/deep")
        }
    }

    /// Names are bytes; not all of them are text.
    @Test func aNameThatIsNoTextIsRemoved() async throws {
        try await withTemporaryFolder { folder in
            let path = Array((folder + "/top/").utf8)
            try SmallFile.createFolder(folder + "/top", mode: 0o700)
            let name = (path + [0xFF, 0xFE, 0]).map(CChar.init(bitPattern:))
            try #require(mkdir(name, 0o700) == 0)
            try FolderRemoval.remove(folder + "/top")
            #expect(!Self.exists(folder + "/top"))
        }
    }

    @Test func whatIsClosedIsOpenedAndLinksAreNotFollowed() async throws {
        try await withTemporaryFolder { folder in
            for path in ["/kept", "/top/a/b"] {
                try FileManager.default.createDirectory(atPath: folder + path, withIntermediateDirectories: true)
            }
            try Data("kept".utf8).write(to: URL(fileURLWithPath: folder + "/kept/file"))
            symlink(folder + "/kept", folder + "/top/a/link")
            symlink(folder + "/kept/file", folder + "/top/a/b/link")
            chmod(folder + "/top/a/b", 0)
            chmod(folder + "/top/a", 0o500)
            try FolderRemoval.remove(folder + "/top")
            #expect(!Self.exists(folder + "/top"))
            #expect(SmallFile.text(folder + "/kept/file") == "kept")
            symlink(folder + "/kept", folder + "/link")
            try FolderRemoval.remove(folder + "/link")
            #expect(!Self.exists(folder + "/link"))
            #expect(SmallFile.text(folder + "/kept/file") == "kept")
        }
    }

    @Test func whatIsNotThereIsRemoved() throws {
        try FolderRemoval.remove("/no/such/folder")
        try FolderRemoval.remove("/etc/passwd/folder")
    }

    /// Another process swaps a folder for a link just when it was found to be a folder.
    @Test func aFolderThatBecomesALinkIsNotFollowed() async throws {
        try await withTemporaryFolder { folder in
            for name in ["kept", "top", "top/swapped"] { try SmallFile.createFolder("\(folder)/\(name)", mode: 0o700) }
            try Data("kept".utf8).write(to: URL(fileURLWithPath: folder + "/kept/file"))
            let walk = try TreeWalk(folder + "/top", Swapper(top: folder + "/top", target: folder + "/kept"))
            let error = #expect(throws: TreeWalk<Swapper>.Failure.self) { try walk.run() }
            #expect(error?.path == folder + "/top/swapped")
            #expect(error?.errno == ENOTDIR)
        }
    }

    @Test func aFolderThatIsMovedAwayEndsTheWalk() async throws {
        try await withTemporaryFolder { folder in
            try Self.makeDeepTree(folder + "/top", levels: 40)
            // Once the upper folders are closed, everything below the second is moved beside the tree.
            let walk = try TreeWalk(folder + "/top", Mover(folder: folder, depth: 38))
            let error = #expect(throws: TreeWalk<Mover>.Failure.self) { try walk.run() }
            #expect(error?.errno == ESTALE)
            try FolderRemoval.remove(folder + "/top")
        }
    }

    @Test(.enabled(if: geteuid() == 0)) func aFileThatWasLinkedFromElsewhereStaysWhoseItIs() async throws {
        try await withTemporaryFolder { folder in
            let nobody = try ServiceAccount.named("nobody")
            try SmallFile.createFolder(folder + "/volume", mode: 0o700)
            for name in ["foreign", "volume/own"] {
                try Data().write(to: URL(fileURLWithPath: "\(folder)/\(name)"))
            }
            try #require(link(folder + "/foreign", folder + "/volume/linked") == 0)
            symlink(folder + "/foreign", folder + "/volume/link")
            chown(folder + "/volume", 1, 1)
            try VolumeOwner.give(folder + "/volume", to: nobody)
            var status = stat()
            for (name, owner) in ["foreign": 0, "volume": nobody.uid, "volume/own": nobody.uid] {
                #expect(lstat("\(folder)/\(name)", &status) == 0)
                #expect(status.st_uid == owner, "\(name)")
            }
        }
    }

    @Test func aLinkIsNotListed() async throws {
        try await withTemporaryFolder { folder in
            try SmallFile.createFolder(folder + "/there/inside", mode: 0o700)
            symlink(folder + "/there", folder + "/link")
            #expect(FolderListing.names(folder + "/there") == ["inside"])
            #expect(FolderListing.names(folder + "/link") == [])
        }
    }
}

/// How many files and folders belong to whom.
private final class OwnerCount: TreeVisitor {
    private(set) var owners: [uid_t: Int] = [:]

    func visit(_ name: [CChar], in folder: Int32) -> TreeStep {
        var status = stat()
        guard fstatat(folder, name, &status, AT_SYMLINK_NOFOLLOW) == 0 else { return .failed(errno: errno) }
        owners[status.st_uid, default: 0] += 1
        return status.st_mode & S_IFMT == S_IFDIR ? .folder : .done
    }

    func unlock(_ name: [CChar], in folder: Int32) -> Bool { false }
    func enter(_ folder: Int32) -> Bool { true }
    func leave(_ name: [CChar], in folder: Int32) -> TreeStep { .done }
}

private struct Swapper: TreeVisitor {
    let top: String
    let target: String

    func visit(_ name: [CChar], in folder: Int32) -> TreeStep {
        if name == Array("swapped".utf8CString) {
            rmdir(top + "/swapped")
            symlink(target, top + "/swapped")
        }
        return .folder
    }

    func unlock(_ name: [CChar], in folder: Int32) -> Bool { false }
    func enter(_ folder: Int32) -> Bool { true }
    func leave(_ name: [CChar], in folder: Int32) -> TreeStep { .done }
}

private struct Mover: TreeVisitor {
    let folder: String
    let depth: Int
    private var entered = 0

    init(folder: String, depth: Int) {
        self.folder = folder
        self.depth = depth
    }

    mutating func visit(_ name: [CChar], in parent: Int32) -> TreeStep {
        if name == Array("file".utf8CString) { return .done }
        entered += 1
        if entered == depth {
            let long = String(repeating: "d", count: 100)
            rename("\(folder)/top/\(long)/\(long)", folder + "/moved")
        }
        return .folder
    }

    func unlock(_ name: [CChar], in folder: Int32) -> Bool { false }
    func enter(_ folder: Int32) -> Bool { true }
    func leave(_ name: [CChar], in folder: Int32) -> TreeStep { .done }
}

import Foundation
import SQLiteStore
import Storage
import TestSupport
import Testing

/// Places where no store can be.
@Suite struct PlaceTests {
    @Test func belowAFile() async throws {
        try await withTemporaryFolder { folder in
            try Data("x".utf8).write(to: URL(fileURLWithPath: folder + "/file"))
            try expectUnwritable(folder + "/file/state.db")
        }
    }

    @Test func inAFolderThatIsNotThere() async throws {
        try await withTemporaryFolder { folder in try expectUnwritable(folder + "/no/state.db") }
    }

    @Test func aFolder() async throws {
        try await withTemporaryFolder { folder in
            try FileManager.default.createDirectory(atPath: folder + "/state.db", withIntermediateDirectories: false)
            try expectUnwritable(folder + "/state.db")
        }
    }

    @Test func aDevice() throws {
        // Root could create the lock beside it; a file system that takes no files refuses everyone.
        try expectUnwritable("/proc/self/state.db")
    }

    @Test(.enabled(if: geteuid() != 0, "permissions do not hold root off"))
    func aReadOnlyFolder() async throws {
        try await withTemporaryFolder { folder in
            let path = folder + "/state.db"
            try SQLiteStore(path: path).close()
            chmod(folder, 0o500)
            defer { chmod(folder, 0o700) }
            try expectUnwritable(path)
            try expectUnwritable(folder + "/new.db")
        }
    }

    private func expectUnwritable(_ path: String, _ at: SourceLocation = #_sourceLocation) throws {
        let error = try refusal(path, at)
        #expect(error.code == .unwritable, "\(error)", sourceLocation: at)
        #expect(error.message.contains(path), "\(error)", sourceLocation: at)
        #expect(error.hint != nil, sourceLocation: at)
    }
}

import Files
import Foundation
import TestSupport
import Testing

@Suite struct AtomicFileTests {
    @Test func theNewContentTakesThePlaceOfTheOld() async throws {
        try await withTemporaryFolder { folder in
            let path = folder + "/file"
            try AtomicFile.write(Data("a longer old content".utf8), to: path)
            try AtomicFile.write(Array("new".utf8), to: path)
            #expect(try text(path) == "new")
            #expect(try mode(path) == 0o600)
            #expect(try FileManager.default.contentsOfDirectory(atPath: folder) == ["file"])
        }
    }

    @Test(arguments: [true, false])
    func aFullDiskLeavesTheOldContentAndNothingBesideIt(_ durably: Bool) async throws {
        try await withTemporaryFolder { folder in
            let path = folder + "/file"
            try AtomicFile.write(Array("old".utf8), to: path)
            try FileManager.default.createSymbolicLink(atPath: path + ".new", withDestinationPath: "/dev/full")
            let failure = #expect(throws: FileFailure.self) {
                try AtomicFile.write(Array("new".utf8), to: path, durably: durably)
            }
            #expect(failure?.isFull == true)
            #expect(failure?.path == path + ".new")
            #expect(try text(path) == "old")
            #expect(try FileManager.default.contentsOfDirectory(atPath: folder) == ["file"])
        }
    }

    @Test func whatCannotBeFilledLeavesTheOldContent() async throws {
        try await withTemporaryFolder { folder in
            let path = folder + "/file"
            try AtomicFile.write(Array("old".utf8), to: path)
            #expect(throws: FileFailure.self) {
                try AtomicFile.replace(path) { (file) throws(FileFailure) in
                    try file.write(Array("new".utf8))
                    throw FileFailure("read", "elsewhere", code: EIO)
                }
            }
            #expect(try text(path) == "old")
            #expect(try FileManager.default.contentsOfDirectory(atPath: folder) == ["file"])
        }
    }

    @Test func aMissingFolderIsNamed() async throws {
        try await withTemporaryFolder { folder in
            let failure = #expect(throws: FileFailure.self) {
                try AtomicFile.write(Array("new".utf8), to: folder + "/no/file")
            }
            #expect(failure?.description == "cannot write \(folder)/no/file.new: No such file or directory")
        }
    }

    @Test func aFolderIsNotReplaced() async throws {
        try await withTemporaryFolder { folder in
            try FileManager.default.createDirectory(atPath: folder + "/file", withIntermediateDirectories: false)
            #expect(throws: FileFailure.self) { try AtomicFile.write(Array("new".utf8), to: folder + "/file") }
            #expect(try FileManager.default.contentsOfDirectory(atPath: folder) == ["file"])
        }
    }

    /// What a reader sees while files of two sizes replace each other is always one of them, whole.
    @Test func aReaderNeverSeesAPart() async throws {
        try await withTemporaryFolder { folder in
            let path = folder + "/file"
            let contents = [[UInt8](repeating: 1, count: 300_000), [UInt8](repeating: 2, count: 700_000)]
            try AtomicFile.write(contents[0], to: path)
            let reading = Task {
                var seen = 0
                while !Task.isCancelled {
                    let bytes = try Data(contentsOf: URL(filePath: path))
                    guard contents.contains(Array(bytes)) else { return -bytes.count }
                    seen += 1
                    await Task.yield()
                }
                return seen
            }
            for number in 0..<40 {
                try AtomicFile.write(contents[number % 2], to: path, durably: false)
                await Task.yield()
            }
            reading.cancel()
            #expect(try await reading.value > 0)
        }
    }

    private func text(_ path: String) throws -> String { try String(contentsOfFile: path, encoding: .utf8) }

    private func mode(_ path: String) throws -> Int {
        try #require(FileManager.default.attributesOfItem(atPath: path)[.posixPermissions] as? Int)
    }
}

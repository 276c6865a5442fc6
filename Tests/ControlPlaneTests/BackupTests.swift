import Blueprints
import EnvironmentGraph
import Foundation
import SQLiteStore
import Storage
import TestSupport
import Testing

@testable import ControlPlane

/// A backup's file and what restoring makes of it, with stores and without a server.
@Suite struct BackupTests {
    @Test func whatWasSavedIsRestored() async throws {
        try await BackupBench.with { bench in
            let manifest = try await bench.backup(withKey: true)
            #expect(manifest.environments.map(\.name) == ["shop"])
            #expect(manifest.environments.first?.secrets == ["api/password"])
            #expect(try BackupFile(path: bench.file).verify() == manifest)
            #expect(try bench.mode(bench.file) == 0o600)
            let outcome = try await BackupRestore(BackupFile(path: bench.file), into: bench.other)
                .run(.usual, replacing: false, stamp: "1")
            #expect(outcome.hasKey)
            #expect(outcome.aside == nil)
            #expect(outcome.missingVolumes == ["shop: api/data"])
            #expect(try bench.mode(bench.other.store) == 0o600)
            #expect(try bench.mode(bench.other.key) == 0o600)
            // Nothing else is left in either folder.
            let left = try bench.names(bench.other.path)
            #expect(left == ["environments", "gateway", "secrets.key", "server.lock", "store.sqlite"])
            #expect(try bench.names(bench.root) == ["backup.tar", "one", "two"])
            let store = try SQLiteStore(path: bench.other.store)
            defer { store.close() }
            let secrets = try await store.read { store in
                try store.environments().flatMap { try store.secrets(of: $0.id) }
            }
            let box = try SecretBox(keyFile: bench.other.key)
            #expect(try secrets.map { try box.open($0.sealed, for: "place") } == ["open sesame"])
        }
    }

    /// Any tar opens it, and `sha256sum` agrees.
    @Test func otherProgramsUnderstandTheFile() async throws {
        try await BackupBench.with { bench in
            try await bench.backup(withKey: true)
            let (code, said) = try await bench.shell(
                "mkdir x && tar xf backup.tar -C x && cd x && sha256sum -c SHA256SUMS && ls")
            #expect(code == 0, "\(said)")
            #expect(said.contains("SHA256SUMS\nmanifest.json\nsecrets.key\nstore.sqlite"))
        }
    }

    /// One byte is changed, in every region of the file and at every place of the headers.
    @Test func aDamagedFileIsRefusedAndItsPartNamed() async throws {
        try await BackupBench.with { bench in
            try await bench.backup(withKey: true)
            let whole = try Data(contentsOf: URL(filePath: bench.file))
            let members = try BackupArchive.members(of: bench.file)
            var places = members.flatMap { [($0.offset, $0.name), ($0.offset + $0.bytes - 1, $0.name)] }
            places += stride(from: 0, to: 512, by: 7).map { ($0, "") }
            places += members.dropFirst().flatMap { member in
                stride(from: member.offset - 512, to: member.offset, by: 31).map { ($0, "") }
            }
            places.append((whole.count - 1, ""))
            let damaged = bench.root + "/damaged.tar"
            for (place, name) in places {
                var bytes = whole
                bytes[place] ^= 0x20
                try bytes.write(to: URL(filePath: damaged))
                let error = await bench.refusal { try BackupFile(path: damaged).verify() }
                let code = error?.code
                let message = error?.message ?? ""
                #expect(code == .corrupt && (name.isEmpty || message.contains(name)), "byte \(place): \(message)")
            }
            for length in [0, 1, 511, 512, 1024, whole.count / 2, whole.count - 1024, whole.count - 1] {
                try whole.prefix(length).write(to: URL(filePath: damaged))
                let error = await bench.refusal { try BackupFile(path: damaged).verify() }
                #expect(error?.code == .corrupt, "\(length) bytes")
            }
        }
    }

    @Test func withoutTheKeyItSaysWhatStaysClosedAndHowToGoOn() async throws {
        try await BackupBench.with { bench in
            try await bench.backup(withKey: false)
            let restore = BackupRestore(BackupFile(path: bench.file), into: bench.other)
            let error = await bench.refusal {
                try await restore.run(.usual, replacing: false, stamp: "1")
            }
            #expect(error?.message.contains("shop: api/password") == true)
            #expect(error?.hint?.contains("--key") == true)
            // With another key it is not silently taken.
            let other = bench.root + "/other.key"
            _ = try SecretBox(keyFile: other)
            let wrong = await bench.refusal { try await restore.run(.file(other), replacing: false, stamp: "1") }
            #expect(wrong?.code == .corrupt)
            #expect(!FileManager.default.fileExists(atPath: bench.other.store))
            let outcome = try await restore.run(.file(bench.one.key), replacing: false, stamp: "1")
            #expect(outcome.hasKey)
        }
    }

    @Test func withoutTheKeyItGoesOnWhereThatIsWanted() async throws {
        try await BackupBench.with { bench in
            try await bench.backup(withKey: false)
            let outcome = try await BackupRestore(BackupFile(path: bench.file), into: bench.other)
                .run(.none, replacing: false, stamp: "1")
            #expect(!outcome.hasKey)
            #expect(!FileManager.default.fileExists(atPath: bench.other.key))
            #expect(FileManager.default.fileExists(atPath: bench.other.store))
        }
    }

    @Test func aFolderThatIsNotEmptyIsKeptOrPutAside() async throws {
        try await BackupBench.with { bench in
            try await bench.backup(withKey: false)
            try await bench.change { try $0.set("later", to: "1") }
            let restore = BackupRestore(BackupFile(path: bench.file), into: bench.one)
            let error = await bench.refusal {
                try await restore.run(.usual, replacing: false, stamp: "1")
            }
            #expect(error?.hint?.contains("--force") == true)
            // The folder's own key is the right one.
            let outcome = try await restore.run(.usual, replacing: true, stamp: "1")
            let aside = try #require(outcome.aside)
            #expect(try bench.names(aside).contains("store.sqlite"))
            let (now, before) = (try SQLiteStore(path: bench.one.store), try SQLiteStore(path: aside + "/store.sqlite"))
            defer {
                now.close()
                before.close()
            }
            #expect(try await now.read { try $0.setting("later") } == nil)
            #expect(try await before.read { try $0.setting("later") } == "1")
        }
    }

    @Test func aFileThatIsThereIsNotReplacedUnasked() async throws {
        try await BackupBench.with { bench in
            try Data("mine".utf8).write(to: URL(filePath: bench.file))
            let refused = await bench.refusal { try await bench.backup(withKey: true) }
            #expect(refused?.code == .unwritable)
            #expect(try String(contentsOfFile: bench.file, encoding: .utf8) == "mine")
            try await bench.backup(withKey: true, replacing: true)
            _ = try BackupFile(path: bench.file).verify()
        }
    }

    @Test func aFullDiskLeavesNothing() async throws {
        try await BackupBench.with { bench in
            try FileManager.default.createSymbolicLink(atPath: bench.file + ".new", withDestinationPath: "/dev/full")
            let error = await bench.refusal { try await bench.backup(withKey: true) }
            #expect(error?.code == .unwritable)
            #expect(error?.hint?.contains("make room") == true)
            #expect(try bench.names(bench.root) == ["one", "two"])
        }
    }

    /// What the server acknowledges while the backup is made is in it or not, each transaction whole.
    @Test func aBackupOfAStoreThatIsWrittenIsOneMoment() async throws {
        try await BackupBench.with { bench in
            let store = try SQLiteStore(path: bench.one.store)
            defer { store.close() }
            let writing = Task {
                var number = 0
                while !Task.isCancelled {
                    number += 1
                    let text = "\(number)"
                    try await store.write { store in
                        try store.set("first", to: text)
                        try store.set("second", to: text)
                    }
                }
                return number
            }
            var seen: [String?] = []
            for round in 0..<5 {
                try await bench.backup(withKey: false, replacing: round > 0)
                let copy = bench.root + "/copy.sqlite"
                try BackupFile(path: bench.file).extract("store.sqlite", to: copy)
                let restored = try SQLiteStore(path: copy)
                let pair = try await restored.read { [try $0.setting("first"), try $0.setting("second")] }
                restored.close()
                #expect(pair[0] == pair[1])
                seen.append(pair[0])
            }
            writing.cancel()
            #expect(try await writing.value > 5)
            #expect(Set(seen).count > 1)
        }
    }

    @Test func aNewerStoreIsRefused() async throws {
        try await BackupBench.with { bench in
            var manifest = try await bench.backup(withKey: true)
            manifest.schema += 1
            try bench.rewrite(manifest)
            let error = await bench.refusal {
                try await BackupRestore(BackupFile(path: bench.file), into: bench.other)
                    .run(.usual, replacing: false, stamp: "1")
            }
            #expect(error?.code == .newerSchema)
            #expect(error?.message.contains("schema \(manifest.schema)") == true)
        }
    }
}

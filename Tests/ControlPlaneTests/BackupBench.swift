import Blueprints
import EnvironmentGraph
import Files
import Foundation
import SQLiteStore
import Storage
import TestSupport

@testable import ControlPlane

/// Two state folders, one of them with a store that holds an environment with a secret and a volume.
struct BackupBench {
    let root: String
    let one: ServerFolder
    let other: ServerFolder
    var file: String { root + "/backup.tar" }

    static func with(_ body: (BackupBench) async throws -> Void) async throws {
        try await withTemporaryFolder { root in
            let bench = BackupBench(
                root: root, one: try ServerFolder(path: root + "/one"), other: try ServerFolder(path: root + "/two"))
            let box = try SecretBox(keyFile: bench.one.key)
            let sealed = try box.seal("open sesame", for: "place")
            try await bench.change { store in
                let service = ServiceSpec(
                    name: "api", command: ["/bin/true"], volumes: [VolumeSpec(name: "data", mountPath: "/data")])
                let record = EnvironmentRecord(
                    id: EnvironmentID(rawValue: "env-shop"), name: "shop", mode: .baseline,
                    spec: BlueprintSpec(name: "shop", services: [service]),
                    difference: Difference(entries: [
                        Difference.Entry(service: "api", kind: .added, reasons: ["new"])
                    ]), createdAt: 1)
                try store.save(record)
                try store.save(
                    SealedSecret(environment: record.id, service: "api", name: "password", sealed: sealed))
            }
            try await body(bench)
        }
    }

    func change(_ body: @escaping @Sendable (any StoreWriting) throws -> Void) async throws {
        let store = try SQLiteStore(path: one.store)
        defer { store.close() }
        try await store.write(body)
    }

    @discardableResult
    func backup(withKey: Bool, replacing: Bool = false) async throws -> BackupManifest {
        try await BackupFile(path: file).create(
            from: one, withKey: withKey, replacing: replacing, version: "1.0.0", now: 0)
    }

    /// The same backup under another manifest, with sums that fit.
    func rewrite(_ manifest: BackupManifest) throws {
        let copy = root + "/copy.sqlite"
        try BackupFile(path: file).extract(BackupFile.store, to: copy)
        let key = try BackupFile(path: file).keyBytes() ?? []
        let description = Array(try JSONEncoder().encode(manifest))
        let lines =
            [(SecretBox.sha256(description), BackupFile.manifest)] + manifest.parts.map { ($0.sha256, $0.name) }
        let sums = Array(lines.map { "\($0.0)  \($0.1)\n" }.joined().utf8)
        try AtomicFile.replace(file) { (file) throws(FileFailure) in
            try BackupArchive.write(
                [
                    (BackupFile.manifest, .bytes(description)),
                    (BackupFile.store, .file(copy, bytes: manifest.parts[0].bytes)),
                    (BackupFile.key, .bytes(key)), (BackupFile.sums, .bytes(sums)),
                ], to: file)
        }
    }

    func names(_ path: String) throws -> [String] {
        try FileManager.default.contentsOfDirectory(atPath: path).filter {
            !$0.hasSuffix(".lock") || $0 == "server.lock"
        }
        .sorted()
    }

    func mode(_ path: String) throws -> Int? {
        try FileManager.default.attributesOfItem(atPath: path)[.posixPermissions] as? Int
    }

    /// Runs a line of shell in the bench's folder without blocking a thread of Swift's pool.
    func shell(_ line: String) async throws -> (code: Int32, said: String) {
        let process = Process()
        process.executableURL = URL(filePath: "/bin/sh")
        process.currentDirectoryURL = URL(filePath: root)
        process.arguments = ["-c", "{ \(line); } >said.txt 2>&1"]
        try process.run()
        try await eventually("the end of \(line)") { process.isRunning ? nil : true }
        return (process.terminationStatus, try String(contentsOfFile: root + "/said.txt", encoding: .utf8))
    }

    /// The error that `body` ends with; `nil` where it has none of the store's.
    func refusal<T>(_ body: () async throws -> T) async -> StoreError? {
        do {
            _ = try await body()
            return nil
        } catch {
            return error as? StoreError
        }
    }
}

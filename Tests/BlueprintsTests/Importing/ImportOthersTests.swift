import Blueprints
import Foundation
import Testing

/// Compose files that other people wrote, which lie beside the checkout where the project's data is at hand; elsewhere
/// with `MICROSTAX_COMPOSE_FILES=<folder>`.
@Suite struct ImportOthersTests {
    static let folder =
        ProcessInfo.processInfo.environment["MICROSTAX_COMPOSE_FILES"].map { URL(filePath: $0) }
        ?? RobustnessTests.composeFolder

    @Test(.enabled(if: FileManager.default.fileExists(atPath: folder.path), "the Compose files are not at hand"))
    func eachBecomesABlueprintThatValidates() throws {
        let names = try FileManager.default.contentsOfDirectory(atPath: Self.folder.path).sorted()
            .filter { $0.hasSuffix(".yaml") || $0.hasSuffix(".yml") }
        #expect(names.count >= 39)
        for name in names {
            let bytes = [UInt8](try Data(contentsOf: Self.folder.appending(path: name)))
            let (imported, diagnostics) = Blueprint.importCompose(
                [ComposeFile(name: name, folder: Self.folder.path, bytes: bytes)],
                load: { path in (try? Data(contentsOf: URL(filePath: path))).map { [UInt8]($0) } })
            let complaints = diagnostics.map(\.rendered)
            guard let imported else {
                Issue.record("\(name): \(complaints)")
                continue
            }
            if let target = ProcessInfo.processInfo.environment["MICROSTAX_IMPORTED"] {
                let notes = imported.notes.map(\.rendered).joined(separator: "\n")
                try Data((imported.text + "\n# ----\n" + notes + "\n").utf8).write(
                    to: URL(filePath: target).appending(path: name))
            }
            let (document, problems) = Blueprint.read(Array(imported.text.utf8), file: name, folder: "/")
            let checked = Blueprint.check(try #require(document), mode: .baseline, unbuilt: .warning)
            let errors = (problems + checked.diagnostics).filter { $0.severity == .error }.map(\.rendered)
            #expect(errors == [], "\(name)\n\(imported.text)")
            #expect(checked.spec != nil, "\(name)")
            // Every key of every service is accounted for, at its place.
            let (root, _) = Blueprint.read(bytes, file: name, folder: "/")
            for service in root?.value["services"]?.items ?? [] {
                for entry in service.entries where !["name", "remove"].contains(entry.key) {
                    let isNoted = imported.notes.contains {
                        $0.path.contains(".\(entry.key)") && $0.file == name && $0.line >= entry.location.line
                    }
                    #expect(isNoted || entry.value.isNull, "\(name):\(entry.location.line): \(entry.key)")
                }
            }
        }
    }
}

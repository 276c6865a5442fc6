import Contracts
import Foundation
import Testing

/// OpenAPI documents of other projects, which lie beside the checkout where the project's data is at hand.
@Suite struct AtHandTests {
    static let folder = URL(filePath: #filePath).resolvingSymlinksInPath()
        .appending(path: "../../../../shared/data/openapi").standardizedFileURL

    @Test(.enabled(if: FileManager.default.fileExists(atPath: folder.path), "the OpenAPI documents are not at hand"))
    func everyDocumentLoadsAndEqualsItself() throws {
        let names = try FileManager.default.contentsOfDirectory(atPath: Self.folder.path).sorted()
        #expect(names.count > 15)
        for name in names where name.hasSuffix(".yaml") || name.hasSuffix(".json") {
            let bytes = [UInt8](try Data(contentsOf: Self.folder.appending(path: name)))
            let start = ContinuousClock.now
            let (document, problems) = ContractDocument.read(bytes, file: name)
            let read = ContinuousClock.now - start
            let loaded = try #require(document, "\(name): \(problems.map(\.rendered))")
            #expect(!problems.contains { $0.severity == .error }, "\(name): \(problems.map(\.rendered))")
            let again = try #require(ContractDocument.read(bytes, file: name).document)
            let begun = ContinuousClock.now
            let changes = breakingChanges(from: loaded, to: again)
            #expect(changes.isEmpty, "\(name): \(changes.prefix(5).map(\.rendered))")
            if bytes.count > 50_000 || ProcessInfo.processInfo.environment["SHOW"] != nil {
                print(
                    "\(name): \(bytes.count) bytes, read \(read), compared \(ContinuousClock.now - begun), \(problems.count) problems"
                )
            }
        }
    }
}

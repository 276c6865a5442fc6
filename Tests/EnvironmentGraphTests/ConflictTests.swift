import Blueprints
import EnvironmentGraph
import Foundation
import Testing

/// One request for each kind of conflict, as a person would write it: found with both places, and gone where it is mended.
@Suite struct ConflictTests {
    struct Example: Sendable, CustomTestStringConvertible {
        var name: String
        /// The services of the overlay's file, in flow style from line 2.
        var overlay: String
        /// `code@line:column theirs@line:column`, warnings with a `?` before them.
        var expected: [String]
        var head = "name: feat"

        var testDescription: String { name }
    }

    static let shop = """
        name: shop
        residency: {deny: [us]}
        services:
        - {name: web, command: [w], expose: true, ports: ['80'], env: {O: '${services.orders.url}'}}
        - name: orders
          command: [o]
          ports: [{name: http}, {name: admin, containerPort: 9000}]
          claims: ['queue:orders']
          env: {DB: '${services.orders-db.address}', CACHE: 'redis://cache:6379'}
        - {name: orders-db, command: [d], ports: [{name: tcp, protocol: tcp}]}
        - {name: cache, command: [c], ports: [{name: tcp, protocol: tcp, containerPort: 6379}]}
        - {name: quotes, command: [q], ports: [{name: grpc, protocol: grpc}]}
        - {name: pricing, command: [p], ports: ['80'], dependsOn: [quotes]}
        """

    static let examples = [
        Example(name: "nothing", overlay: "quotes: {env: {A: '1'}}", expected: []),
        Example(
            name: "a name that is nearly another's", overlay: "order: {command: [x]}",
            expected: ["similar_service_name@2:12 theirs@5:9"]),
        Example(name: "a numbered name", overlay: "orders2: {command: [x]}", expected: []),
        Example(name: "a short name", overlay: "wob: {command: [x]}", expected: []),
        Example(
            name: "the port that everybody uses is gone",
            overlay: "orders: {claims: [], ports: [{name: http, remove: true}]}",
            expected: ["port_removed@2:40 theirs@4:10"]),
        Example(
            name: "another port is gone", overlay: "orders: {claims: [], ports: [{name: admin, remove: true}]}",
            expected: []),
        Example(
            name: "grpc becomes http", overlay: "quotes: {ports: [{name: grpc, protocol: http}]}",
            expected: ["protocol_changed@2:36 theirs@13:10"]),
        Example(
            name: "http becomes http2, which the gateway carries",
            overlay: "orders: {claims: [], ports: [{name: http, protocol: http2}]}", expected: []),
        Example(
            name: "the caller is changed too",
            overlay: "orders: {claims: [], ports: [{name: http, remove: true}]}, web: {env: {O: null}}", expected: []),
        Example(
            name: "a service that an own one needs is removed",
            overlay: "orders-db: {remove: true}, orders: {claims: []}",
            expected: ["removed_service_needed@2:11 theirs@2:39"]),
        Example(
            name: "a service that others need is removed", overlay: "quotes: {remove: true}",
            expected: ["?removed_service_needed@2:11 theirs@13:10"]),
        Example(
            name: "a queue that the baseline reads", overlay: "orders: {env: {A: '1'}}",
            expected: ["claim_held@8:11 theirs@8:11"]),
        Example(name: "a queue of its own", overlay: "orders: {claims: ['queue:feat']}", expected: []),
        Example(
            name: "two that claim one thing",
            overlay: "a1: {command: [a], claims: [x]}, b1: {command: [b], claims: [x]}",
            expected: ["claim_held@2:72 theirs@2:39"]),
        Example(
            name: "a migration of inherited data",
            overlay: "orders: {claims: [], init: {type: command, command: [migrate]}}",
            expected: ["init_on_inherited_data@2:39 theirs@11:10", "init_on_inherited_data@2:39 theirs@10:10"]),
        Example(
            name: "a migration of data of one's own",
            overlay:
                "orders: {claims: [], init: {type: command, command: [m]}}, orders-db: {env: {A: '1'}}, cache: {env: {A: '1'}}",
            expected: []),
        Example(
            name: "another header", overlay: "quotes: {env: {A: '1'}}",
            expected: ["header_contradicts@1:36 theirs@1:1"], head: "{name: feat, routing: {headerName: x-other}"),
        Example(
            name: "what happens to leaks", overlay: "quotes: {env: {A: '1'}}",
            expected: ["header_contradicts@1:32 theirs@1:1"], head: "{name: feat, routing: {onLeak: reject}"),
        Example(
            name: "a region that the baseline denies", overlay: "quotes: {env: {A: '1'}}",
            expected: ["residency_contradicts@1:33 theirs@2:12"], head: "{name: feat, residency: {allow: [us, eu]}"),
        Example(
            name: "every one at once", overlay: "order: {command: [x]}, orders: {ports: [{name: http, remove: true}]}",
            expected: [
                "similar_service_name@2:12 theirs@5:9", "port_removed@2:51 theirs@4:10", "claim_held@8:11 theirs@8:11",
            ]),
    ]

    private func document(_ text: String, _ file: String) throws -> BlueprintDocument {
        try #require(Blueprint.read(Array(text.utf8), file: file, folder: "/x").document)
    }

    private func found(_ example: Example, region: String? = "eu") throws -> [Conflict] {
        let base = try document(Self.shop, "shop.yaml")
        let parent = try #require(Blueprint.check(base, mode: .baseline).spec)
        let isFlow = example.head.hasPrefix("{")
        let text =
            isFlow
            ? "\(example.head),\nservices: {\(example.overlay)}}" : "\(example.head)\nservices: {\(example.overlay)}"
        let checked = Blueprint.check(try document(text, "feat.yaml"), over: base, mode: .overlay)
        let said = checked.diagnostics.map(\.rendered).joined(separator: "\n")
        let request = try #require(checked.spec, "\(said)")
        let record = Samples.baseline(parent)
        let difference = Difference.between(request: request, parent: parent)
        let holders = parent.services.flatMap { service in
            service.claims.map {
                ConflictCheck.Holder(environment: record.id, name: "shop", service: service.name, claim: $0)
            }
        }
        let check = ConflictCheck(
            request: request, difference: difference, document: checked.composed, parent: parent, ancestors: [record],
            holders: holders, region: region)
        return check.conflicts().map { conflict in
            var conflict = conflict
            conflict.locate { $0 == nil ? checked.composed : base }
            return conflict
        }
    }

    private func written(_ conflict: Conflict) -> String {
        let mark = conflict.severity == .warning ? "?" : ""
        func place(_ side: Conflict.Side?) -> String {
            side?.location.map { "\($0.line):\($0.column)" } ?? "nowhere"
        }
        return "\(mark)\(conflict.code.rawValue)@\(place(conflict.mine)) theirs@\(place(conflict.theirs))"
    }

    @Test(arguments: examples) func finds(_ example: Example) throws {
        let found = try found(example)
        let said = found.map(written)
        #expect(said == example.expected, "\(found.map(\.message))")
        for conflict in found {
            #expect(!conflict.wayOut.isEmpty && conflict.message.utf8.count < 400)
            #expect(conflict.mine.location?.file.name == "feat.yaml" || conflict.code == .claimHeld)
        }
    }

    @Test func whereAServerIsCounts() throws {
        let example = Example(
            name: "", overlay: "quotes: {env: {A: '1'}}", expected: [], head: "{name: feat, residency: {allow: [eu]}")
        #expect(try found(example, region: "eu").isEmpty)
        #expect(try found(example, region: "asia").map(\.code) == [.residencyContradicts])
        #expect(try found(example, region: nil).map(\.code) == [.residencyUnknown])
        // What the baseline denies is denied to its overlays.
        let silent = Example(name: "", overlay: "quotes: {env: {A: '1'}}", expected: [])
        #expect(try found(silent, region: "us").map(\.code) == [.residencyContradicts])
    }

    /// A baseline that moves on takes something away from an overlay's own services.
    @Test func overlaysAreHeldAgainstAnotherRevision() throws {
        let base = Samples.baseline()
        let overlay = Samples.overlay(Samples.changing("checkout"), on: base, id: "env-feat")
        var after = Samples.shop
        after.services.removeAll { $0.name == "orders" }
        let index = try #require(after.services.firstIndex { $0.name == "payments" })
        after.services[index].ports = [PortSpec(name: "web", transport: .http)]
        let found = ConflictCheck.breaking(overlay, whenChanging: Samples.shop, to: after)
        #expect(found.map(\.code) == [.portRemoved, .removedServiceNeeded])
        #expect(found.allSatisfy { $0.theirs?.environment == overlay.id && $0.severity == .error })
        // Nobody of its own reaches the reports.
        var harmless = Samples.shop
        harmless.services.removeAll { $0.name == "reports" }
        #expect(ConflictCheck.breaking(overlay, whenChanging: Samples.shop, to: harmless).isEmpty)
    }

    /// A name is near another's however many there are, and what was composed is never nearly itself.
    @Test func inheritedNamesAreNoConflict() throws {
        let example = Example(name: "", overlay: "web: {env: {A: '1'}}, orders: {claims: []}", expected: [])
        #expect(try found(example).isEmpty)
    }
}

/// The page for users knows every code, and which of them can be accepted.
@Suite struct ConflictPageTests {
    @Test func theReferencePageKnowsEveryCode() throws {
        let root = URL(filePath: #filePath).resolvingSymlinksInPath().appending(path: "../../..").standardizedFileURL
        let page = try String(contentsOf: root.appending(path: "docs/reference/conflicts.md"), encoding: .utf8)
        let rows = page.split(separator: "\n").filter { $0.hasPrefix("| `") }
        #expect(rows.count == Conflict.Code.allCases.count)
        for code in Conflict.Code.allCases {
            let row = try #require(rows.first { $0.hasPrefix("| `\(code.rawValue)` |") }, "\(code)")
            #expect(row.hasSuffix(code.isAllowable ? "| yes |" : "| no |"), "\(code)")
        }
    }
}

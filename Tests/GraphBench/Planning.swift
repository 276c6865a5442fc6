import Blueprints
import EnvironmentGraph
import Foundation

/// An overlay of three changes on a baseline of 200 services: from its text to its plan.
///
/// Naively: the overlay as a whole Blueprint, of which every service is read, compared as text with the baseline's, and
/// planned.
struct Planning {
    static let services = 200
    static let changed = [7, 77, 177]

    static func text(_ numbers: some Sequence<Int>, edited: Set<Int>, head: String) -> String {
        head + "services:\n"
            + numbers.map { number in
                """
                  service-\(number):
                    command: [/usr/bin/python3, -B, service.py]
                    ports: [{name: http, containerPort: 8080}]
                    env:
                      LEVEL: \(edited.contains(number) ? "debug" : "info")
                      REGION: eu-west-1
                      \(number == 0 ? "FIRST: \"yes\"" : "NEXT_URL: ${services.service-\((number - 1) / 2).url}")
                    probes: {readiness: {http: {path: /healthz, port: http}}}
                    restart: always

                """
            }.joined()
    }

    static func checked(
        _ text: String, over parent: BlueprintDocument?, mode: EnvironmentMode
    ) throws -> (spec: BlueprintSpec, document: BlueprintDocument) {
        let read = Blueprint.read(Array(text.utf8), file: "bench.yaml", folder: "/srv")
        guard let document = read.document else { throw BenchFailure(message: "\(read.diagnostics)") }
        let checked = Blueprint.check(document, over: parent, mode: mode)
        guard let spec = checked.spec else { throw BenchFailure(message: "\(checked.diagnostics.prefix(3))") }
        return (spec, checked.composed)
    }

    func run() throws {
        let baselineText = Self.text(0..<Self.services, edited: [], head: "name: shop\nrouting: {mode: baseline}\n")
        let baseline = try Self.checked(baselineText, over: nil, mode: .baseline)
        let overlayText = Self.text(
            Self.changed, edited: Set(Self.changed), head: "name: feat\nrouting: {mode: overlay, baselineId: shop}\n")
        let wholeText = Self.text(0..<Self.services, edited: Set(Self.changed), head: "name: feat\n")
        let pin = EnvironmentRecord.ParentPin(id: EnvironmentID(rawValue: "env-shop"), name: "shop", revision: 1)

        var composing = 0.0
        var local = 0
        let graph = try milliseconds(31) {
            let start = processorTime()
            let overlay = try Self.checked(overlayText, over: baseline.document, mode: .overlay)
            composing = processorTime() - start
            let difference = Difference.between(request: overlay.spec, parent: baseline.spec)
            let record = EnvironmentRecord(
                id: EnvironmentID(rawValue: "env-feat"), name: "feat", mode: .overlay, spec: overlay.spec,
                difference: difference, overlayID: "feat", parent: pin, createdAt: 0)
            local = difference.localNames.count
            if Planner.create(record).steps.isEmpty { throw BenchFailure(message: "nothing is planned") }
        }
        guard local == Self.changed.count else { throw BenchFailure(message: "\(local) services are local") }

        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys]
        let before = try baseline.spec.services.map { try encoder.encode($0) }
        let naive = try milliseconds(5) {
            let whole = try Self.checked(wholeText, over: nil, mode: .isolated)
            let after = try whole.spec.services.map { try encoder.encode($0) }
            guard zip(before, after).count(where: { $0 != $1 }) == Self.changed.count else {
                throw BenchFailure(message: "the texts differ elsewhere")
            }
            let record = EnvironmentRecord(
                id: EnvironmentID(rawValue: "env-feat"), name: "feat", mode: .isolated, spec: whole.spec,
                difference: .between(request: whole.spec, parent: nil), createdAt: 0)
            if Planner.create(record).steps.isEmpty { throw BenchFailure(message: "nothing is planned") }
        }
        tell("plan ms", graph.median)
        tell("plan naive ms", naive.median)
        tell("plan composing ms", composing)
    }
}

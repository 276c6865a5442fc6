import API
import Blueprints
import Contracts
import EnvironmentGraph
import Storage

/// Holds the contracts of a request's services against those that they had before.
struct ContractFinding: Sendable {
    /// Those that a request sent, by path.
    var files: [String: String]
    /// Those that there were, by path.
    var filesBefore: [String: String]

    /// What is wrong with a contract by itself; found when it is sent, not when somebody is compared with it.
    func problems(of spec: BlueprintSpec) -> [Diagnostic] {
        spec.services.flatMap { service -> [Diagnostic] in
            guard let path = service.contract, let text = files[path] else { return [] }
            return ContractDocument.read(Array(text.utf8), file: path).problems.map { problem in
                Diagnostic(
                    problem.severity == .error ? .error : .warning, code: problem.code, message: problem.message,
                    file: problem.place.file, line: problem.place.line, column: problem.place.column)
            }
        }
    }

    /// What the services of `new` break for callers of those of `old`.
    ///
    /// - Parameters:
    ///   - local: only these are looked at; the others are the same.
    ///   - theirs: whose the old contracts are; `nil` for an earlier revision of the same environment.
    func conflicts(
        _ new: BlueprintSpec, local: Set<String>, against old: BlueprintSpec, of theirs: EnvironmentID?
    ) -> [Conflict] {
        new.services.filter { local.contains($0.name) }.flatMap { service -> [Conflict] in
            guard let before = old.service(service.name)?.contract, let oldText = filesBefore[before] else { return [] }
            guard let path = service.contract else {
                return [
                    Conflict(
                        .contractBroken, "\(service.name) has no contract any more, so nobody knows what it keeps",
                        severity: .warning, mine: .service(service.name),
                        theirs: .service(service.name, "contract", of: theirs),
                        wayOut: "name the contract that it keeps: `contract: \(before)`")
                ]
            }
            guard let newText = files[path] ?? filesBefore[path], newText != oldText else { return [] }
            let documents = (
                ContractDocument.read(Array(oldText.utf8), file: before).document,
                ContractDocument.read(Array(newText.utf8), file: path).document
            )
            guard let first = documents.0, let second = documents.1 else { return [] }
            return breakingChanges(from: first, to: second).map { conflict(service.name, $0, theirs) }
        }
    }

    private func conflict(_ service: String, _ change: ContractChange, _ theirs: EnvironmentID?) -> Conflict {
        var mine = Conflict.Side.service(service, "contract")
        var other = Conflict.Side.service(service, "contract", of: theirs)
        mine.location = change.mine.map { SourceLocation($0) }
        other.location = change.theirs.map { SourceLocation($0) }
        return Conflict(
            .contractBroken, "\(service): \(change.message) (\(change.code))",
            severity: change.severity == .error ? .error : .warning, mine: mine, theirs: other, wayOut: change.wayOut)
    }
}

extension SourceLocation {
    init(_ place: ContractPlace) {
        self.init(file: SourceFile(name: place.file, folder: "/"), line: place.line, column: place.column)
    }
}

extension SecretVault {
    /// The files that the Blueprints of a lineage named, in the clear; what is nearer wins.
    ///
    /// - Parameter revisions: the nearest first.
    func files(of revisions: [RevisionRecord], named paths: Set<String>) throws -> [String: String] {
        var found: [String: String] = [:]
        for revision in revisions {
            for (path, sealed) in revision.files where paths.contains(path) && found[path] == nil {
                found[path] = try box.openText(
                    sealed, for: "revision/\(revision.environment)/\(revision.number)")
            }
        }
        return found
    }
}

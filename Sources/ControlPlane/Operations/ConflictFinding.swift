import API
import Blueprints
import EnvironmentGraph
import Foundation
import Orchestration
import Storage

/// Finds what stands against an environment as it is wanted, each conflict with both sides' places; decides what a person has
/// accepted.
struct ConflictFinding: Sendable {
    let vault: SecretVault
    /// Of this server; `nil` where its operator does not say.
    var region: String?

    /// What is asked about.
    struct Request: Sendable {
        /// As it would be.
        var record: EnvironmentRecord
        /// Its composed Blueprint.
        var document: BlueprintDocument
        /// The parent at the revision that is stood on.
        var parent: BlueprintSpec?
        /// What was found already, where the search needs more than the store.
        var known: [Conflict] = []
    }

    /// What a person accepts: every word is one that can be.
    ///
    /// - Throws: ``APIProblem`` for another one, so that a misspelt word is not found out when it would have mattered.
    static func accepted(_ words: [String]) throws -> Set<String> {
        let known = ["unhealthy-parent", "repeat-unknown"] + Conflict.Code.allCases.map(\.rawValue)
        for word in words where !known.contains(word) && !known.contains(word.replacing("-", with: "_")) {
            throw APIProblem(
                .invalidRequest, "there is no risk or conflict \(shortened(word)) to allow",
                hint: NearMiss.hint(word, among: known))
        }
        return Set(words)
    }

    /// All of them, errors before warnings, with their places.
    func conflicts(_ request: Request, in store: any StoreReading) throws -> [Conflict] {
        let record = request.record
        guard let lineage = try Lineage(of: record, find: { try store.environment($0) }) else {
            throw APIProblem(.internalError, "the lineage of \(record.name) is broken")
        }
        var check = ConflictCheck(
            request: record.spec, difference: record.difference, document: request.document, parent: request.parent,
            ancestors: Array(lineage.environments.dropFirst()),
            holders: try holders(record, lineage.root.id, in: store), region: region)
        check.initialising = Set(
            record.localServices.filter { record.initialisersDone(of: $0.name) < $0.initialisers.count }.map(\.name))
        var found = check.conflicts() + request.known
        if let taken = try overlayIDTaken(record, lineage.root.id, in: store) { found.insert(taken, at: 0) }
        found += Self.unanswered(record, lineage)
        if let before = try store.environment(record.id), before.spec != record.spec {
            found += try overlaysThatBreak(record, before.spec, in: store)
        }
        guard !found.isEmpty else { return [] }
        let documents = try documents(of: found, in: store)
        for index in found.indices { found[index].locate { $0 == nil ? request.document : documents[$0] } }
        return found.filter { $0.severity == .error } + found.filter { $0.severity == .warning }
    }

    /// - Returns: what is to be said, and what was accepted.
    /// - Throws: ``APIProblem`` `conflict` with every conflict, also those that were accepted.
    static func decide(
        _ found: [Conflict], allow: Set<String>, name: String
    ) throws -> (warnings: [ErrorDetail], accepted: [String]) {
        let allowed = Set(allow.map { $0.replacing("-", with: "_") })
        let errors = found.filter { $0.severity == .error }
        let refused = errors.filter { !$0.code.isAllowable || !allowed.contains($0.code.rawValue) }
        if !refused.isEmpty {
            let codes = Set(refused.filter(\.code.isAllowable).map(\.code.rawValue)).sorted()
            let isAllowable = refused.allSatisfy(\.code.isAllowable)
            let count = refused.count == 1 ? "is a conflict" : "are \(refused.count) conflicts"
            throw APIProblem(
                .conflict, "there \(count) between \(name) and what is there; nothing was changed",
                hint: isAllowable
                    ? "mend \(refused.count == 1 ? "it" : "them"), or accept: "
                        + codes.map { "--allow \($0)" }.joined(separator: " ")
                    : nil, details: (refused + found.filter { $0.severity == .warning }).map { ErrorDetail($0) })
        }
        let details = found.map { conflict -> ErrorDetail in
            var detail = ErrorDetail(conflict)
            if conflict.severity == .error { detail.severity = "accepted" }
            return detail
        }
        return (details, Set(errors.map(\.code.rawValue)).sorted())
    }

    /// In the same lineage; whatever this environment holds itself plays no part.
    private func holders(
        _ record: EnvironmentRecord, _ root: EnvironmentID, in store: any StoreReading
    ) throws -> [ConflictCheck.Holder] {
        // What it holds already was settled when it took it.
        let held = try store.environment(record.id).map { Set(ClaimHolder.holders(in: $0).map(\.claim)) } ?? []
        let claims = ConflictCheck.claimsWanted(record.spec, record.difference).subtracting(held)
        guard !claims.isEmpty else { return [] }
        var roots: [EnvironmentID: (root: EnvironmentID, name: String)] = [:]
        return try store.holders(of: claims).compactMap { holder in
            guard holder.environment != record.id else { return nil }
            if roots[holder.environment] == nil, let other = try store.environment(holder.environment),
                other.state != .deleting, let lineage = try Lineage(of: other, find: { try store.environment($0) })
            {
                roots[holder.environment] = (lineage.root.id, other.name)
            }
            guard let found = roots[holder.environment], found.root == root else { return nil }
            return .init(
                environment: holder.environment, name: found.name, service: holder.service, claim: holder.claim)
        }
    }

    /// What an overlay was composed over may be gone from what it inherits now.
    private static func unanswered(_ record: EnvironmentRecord, _ lineage: Lineage) -> [Conflict] {
        guard let parent = record.parent, lineage.environments.count > 1 else { return [] }
        let removed = Set(record.difference.removed)
        return record.localServices.flatMap { service in
            service.reachedServices.subtracting(removed).sorted().compactMap { name -> Conflict? in
                guard lineage.resolve(name).provider == nil else { return nil }
                return Conflict(
                    .removedServiceNeeded, "\(service.name) reaches \(name), which nobody in the lineage has any more",
                    mine: .service(service.name), theirs: Conflict.Side(parent.id, ["services"]),
                    wayOut: "take the reference out of \(service.name), or bring \(name) back")
            }
        }
    }

    /// What they inherit is live, so what this takes away is away for their own services, too.
    private func overlaysThatBreak(
        _ record: EnvironmentRecord, _ before: BlueprintSpec, in store: any StoreReading
    ) throws -> [Conflict] {
        var found: [Conflict] = []
        let isHarmless = before.services.allSatisfy { record.spec.service($0.name)?.ports == $0.ports }
        guard !isHarmless else { return [] }
        var next = try store.children(of: record.id)
        while let overlay = next.popLast() {
            if overlay.state != .deleting {
                found += ConflictCheck.breaking(overlay, whenChanging: before, to: record.spec)
            }
            next += try store.children(of: overlay.id)
        }
        return found
    }

    private func overlayIDTaken(
        _ record: EnvironmentRecord, _ root: EnvironmentID, in store: any StoreReading
    ) throws -> Conflict? {
        guard let id = record.overlayID else { return nil }
        let taken = try store.overlays(withOverlayID: id).first { other in
            guard other.id != record.id else { return false }
            return try Lineage(of: other, find: { try store.environment($0) })?.root.id == root
        }
        return taken.map { other in
            Conflict(
                .overlayIDTaken, "requests with the overlayId \(id) belong to \(other.name) already",
                mine: Conflict.Side(nil, ["routing", "overlayId"]),
                theirs: Conflict.Side(other.id, ["routing", "overlayId"]),
                wayOut: "choose another routing.overlayId, or `microstax overlay delete \(other.name)` first")
        }
    }

    private func documents(
        of conflicts: [Conflict], in store: any StoreReading
    ) throws -> [EnvironmentID?: BlueprintDocument] {
        var documents: [EnvironmentID?: BlueprintDocument] = [:]
        for id in Set(conflicts.flatMap { [$0.mine.environment, $0.theirs?.environment] }.compactMap { $0 }) {
            guard let record = try store.environment(id), let revision = try store.revision(record.revision, of: id)
            else { continue }
            documents[id] = try vault.document(of: revision)
        }
        return documents
    }
}

extension SecretVault {
    /// Composed, with everything that was below it.
    func document(of revision: RevisionRecord) throws -> BlueprintDocument {
        let text = try box.openText(revision.composed, for: "revision/\(revision.environment)/\(revision.number)")
        return try JSONDecoder().decode(BlueprintDocument.self, from: Data(text.utf8))
    }

    /// What children are composed on: its values say from then on whose they are.
    func document(of revision: RevisionRecord, as owner: EnvironmentRecord) throws -> BlueprintDocument {
        try document(of: revision).attributed(to: SourceOrigin(.environment, owner.name, revision: revision.number))
    }
}

extension ErrorDetail {
    init(_ conflict: Conflict) {
        let mine = conflict.mine.location.map { Place($0) }
        self.init(
            message: conflict.message, code: conflict.code.rawValue, severity: conflict.severity.rawValue,
            file: mine?.file, line: mine?.line, column: mine?.column)
        self.mine = mine
        theirs = conflict.theirs?.location.map { Place($0) }
        wayOut = conflict.wayOut
    }
}

extension ErrorDetail.Place {
    init(_ location: SourceLocation) {
        self.init(file: location.file.name, line: location.line, column: location.column)
    }
}

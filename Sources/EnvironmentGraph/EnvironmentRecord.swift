import Blueprints

/// A node of the graph of environments: what is wanted of one environment, and where its life has got to.
package struct EnvironmentRecord: Sendable, Hashable, Codable {
    /// The parent, and the revision of it that this environment was compared with.
    package struct ParentPin: Sendable, Hashable, Codable {
        package var id: EnvironmentID
        package var name: String
        package var revision: Int

        package init(id: EnvironmentID, name: String, revision: Int) {
            self.id = id
            self.name = name
            self.revision = revision
        }
    }

    package var id: EnvironmentID
    /// Unique among the environments that exist.
    package var name: String
    package var mode: EnvironmentMode
    package private(set) var state: EnvironmentState
    /// Why it is in this state, for a person.
    package var message: String?
    /// From 1; grows with every change of the spec.
    package var revision: Int
    /// Of its workloads, from 1; grows when all of them are to be started anew.
    package private(set) var generation: Int
    /// Of single services, where they were changed since; `nil` in records from before there were any.
    private var generations: [String: Int]?
    /// Composed over the parent and normalised: every service, also those that are inherited.
    package var spec: BlueprintSpec
    /// What differs from the parent; for a baseline or an isolated environment every service is `added`.
    package var difference: Difference
    /// Only overlays.
    package var overlayID: String?
    package var parent: ParentPin?
    /// Milliseconds since 1970, UTC.
    package var createdAt: Int64
    package var updatedAt: Int64
    /// When it is deleted by itself; `nil` for never. Milliseconds since 1970, UTC.
    package var expiresAt: Int64?
    /// About ``expiresAt``; see ``expire(at:setAt:)``.
    var expiry: ExpiryNotes?
    private var protected: Bool?
    /// `nil` for no.
    private var stoppedByTime: Bool?
    /// The services started on demand that somebody has needed; `nil` for none.
    private var warmed: Set<String>?
    /// What a person said that will be tried; `nil` for nothing.
    private var focused: [String]?
    /// What was expected to be exercised; `nil` for everything.
    package private(set) var expected: Set<String>?
    /// What the planner starts on demand, as nothing is expected to reach it; `nil` for none.
    private var unexpected: Set<String>?
    /// By ``homes(of:)``; `nil` in records from before this was kept so.
    private var initialisedHomes: [String: Int]? = [:]
    /// As it was kept before, by service; `nil` where `initialisedHomes` is there, and in the oldest records: theirs have
    /// all run.
    private var initialised: [String: Int]?

    /// `service/volume`; `nil` in records from before this was kept.
    private var volumesMade: Set<String>? = []

    /// Whether nobody may delete it, neither a person nor its own expiry, until the protection is taken off.
    package var isProtected: Bool {
        get { protected ?? false }
        set { protected = newValue ? true : nil }
    }

    /// It was stopped by time (idleness or its schedule) and not by a person: a request for one of its services wakes it.
    package var isAsleep: Bool { [.stopped, .stopping].contains(state) && stoppedByTime == true }

    /// Says who stopped it, or that nobody has.
    package mutating func noteStop(byTime: Bool) { stoppedByTime = byTime ? true : nil }

    package init(
        id: EnvironmentID, name: String, mode: EnvironmentMode, revision: Int = 1, spec: BlueprintSpec,
        difference: Difference, overlayID: String? = nil, parent: ParentPin? = nil, createdAt: Int64
    ) {
        self.id = id
        self.name = name
        self.mode = mode
        state = .pending
        self.revision = revision
        generation = 1
        self.spec = spec
        self.difference = difference
        self.overlayID = overlayID
        self.parent = parent
        self.createdAt = createdAt
        updatedAt = createdAt
    }

    /// The services that this environment runs itself, sorted by name; one that is cold wants no instance.
    package var localServices: [ServiceSpec] {
        // One look at the difference for all of them: there may be hundreds.
        let local = Set(difference.localNames)
        return spec.services.filter { local.contains($0.name) }.map { service in
            guard isCold(service) else { return service }
            var cold = service
            cold.replicas = 0
            return cold
        }
    }

    /// What a person said that will be tried (`--focus`).
    package var focus: [String] {
        get { focused ?? [] }
        set { focused = newValue.isEmpty ? nil : newValue }
    }

    /// Whether it is started when somebody needs it, by its Blueprint or by the planner.
    package func startsOnDemand(_ service: ServiceSpec) -> Bool {
        service.isOnDemand || (unexpected?.contains(service.name) ?? false)
    }

    /// Whether nobody has needed it yet since the environment was started.
    package func isCold(_ service: ServiceSpec) -> Bool {
        startsOnDemand(service) && !(warmed?.contains(service.name) ?? false)
    }

    /// What starts is decided anew. What was wanted before goes on running, also where it would not be started now.
    package mutating func settle(_ prediction: Prediction, before: EnvironmentRecord? = nil) {
        let cold = prediction.cold.filter { name in
            spec.service(name).map { difference.isLocal(name) && $0.activation == .auto } ?? false
        }
        unexpected = cold.isEmpty ? nil : cold
        expected = prediction.exercised
        let wanted = before?.localServices.filter { !$0.instances.isEmpty }.map(\.name) ?? []
        let kept = cold.intersection(wanted)
        if !kept.isEmpty { warmed = (warmed ?? []).union(kept) }
    }

    /// These are needed: they want their instances from now on, with what they say that they depend on.
    package mutating func warm(_ services: Set<String>) {
        var next = services
        while let name = next.popFirst() {
            guard let service = spec.service(name), difference.isLocal(name), isCold(service) else { continue }
            warmed = (warmed ?? []).union([name])
            next.formUnion(service.dependsOn.filter { $0.origin == .declared }.map(\.service))
            // What no request can wake, and the planner has let sleep only as long as this one does.
            next.formUnion(
                service.reachedServices.filter { name in
                    unexpected?.contains(name) == true && spec.service(name)?.isWakeable == false
                })
        }
    }

    /// As it was when it was made: nobody has needed what is cold, and nothing is initialised.
    package var asMade: EnvironmentRecord {
        var record = self
        record.warmed = nil
        (record.initialisedHomes, record.initialised) = ([:], nil)
        return record
    }

    /// It is started anew: what is started on demand is cold again.
    package mutating func coolDown() { warmed = nil }

    /// How many instances of its own it wants; cheaper than ``localServices``.
    package var wantedInstances: Int {
        let local = Set(difference.localNames)
        return spec.services.reduce(0) { $0 + (local.contains($1.name) && !isCold($1) ? max(0, $1.replicas) : 0) }
    }

    /// How many of a service's initialisers have run, in their order: they run once for the data that it keeps. That is
    /// known by where the data is, so that a service that moves into another volume is initialised there, and is what it was
    /// when it moves back.
    package func initialisersDone(of service: String) -> Int {
        guard let homes = initialisedHomes else { return initialised.map { $0[service] ?? 0 } ?? .max }
        return self.homes(of: service).map { homes[$0] ?? 0 }.max() ?? 0
    }

    package mutating func initialiserIsDone(_ index: Int, of service: String) {
        let done = max(index + 1, initialisersDone(of: service))
        if initialisedHomes == nil { initialised?[service] = done }
        for home in homes(of: service) { initialisedHomes?[home] = done }
        // What it initialised is in them; whoever replaces this execution must not take them for new.
        let volumes = dataVolumes(of: service)
        volumesMade?.formUnion(volumes)
    }

    /// Where a service keeps its data: `service/volume`, or by its name alone.
    private func homes(of service: String) -> [String] {
        let volumes = dataVolumes(of: service)
        return volumes.isEmpty ? [service] : volumes
    }

    private func dataVolumes(of service: String) -> [String] {
        (spec.service(service)?.volumes ?? []).filter { $0.kind == .pvc }.map { "\(service)/\($0.name)" }
    }

    /// The volumes with data that were made for it, by service: one of them that is not there was lost.
    package var madeVolumes: [(service: String, volume: String)] {
        guard let volumesMade, !volumesMade.isEmpty else { return [] }
        return localServices.flatMap { service in
            service.volumes.filter { volumesMade.contains("\(service.name)/\($0.name)") }
                .map { (service.name, $0.name) }
        }
    }

    /// Everything runs, so every volume is there. One that is not wanted any more stays, for the case that it will be.
    package mutating func volumesAreMade() {
        volumesMade = (volumesMade ?? []).union(localServices.flatMap { dataVolumes(of: $0.name) })
    }

    /// The data in these volumes (`service/volume`) is lost: they are made again, and the initialisers of a service of
    /// which nothing else is left run again.
    package mutating func beginAnew(_ volumes: Set<String>) {
        volumesMade?.subtract(volumes)
        for volume in volumes {
            initialisedHomes?[volume] = nil
            let service = String(volume.prefix { $0 != "/" })
            if initialisedHomes == nil, volumes.isSuperset(of: dataVolumes(of: service)) { initialised?[service] = 0 }
        }
    }

    /// A workload with another generation replaces the one that runs.
    package func generation(of service: String) -> Int { generations?[service] ?? generation }

    /// Every service is to be started anew: what is said of an earlier generation does not count any more.
    package mutating func renewAll() {
        generation = (generations?.values.max() ?? generation).advanced(by: 1)
        generations = nil
    }

    /// These services are to be started anew, the others stay as they are.
    package mutating func renew(_ services: Set<String>) {
        guard !services.isEmpty else { return }
        let next = max(generation, generations?.values.max() ?? 0) + 1
        generations = (generations ?? [:]).merging(services.map { ($0, next) }) { $1 }
    }

    /// Moves to another state; the only way to do so.
    ///
    /// - Throws: ``IllegalTransition`` where ``EnvironmentState/successors`` does not allow it. Staying is no move.
    package mutating func move(to next: EnvironmentState, message: String? = nil) throws(IllegalTransition) {
        guard next == state || state.successors.contains(next) else {
            throw IllegalTransition(from: state, to: next)
        }
        state = next
        self.message = message
    }
}

package struct IllegalTransition: Error, Sendable, Hashable {
    package let from: EnvironmentState
    package let to: EnvironmentState

    package init(from: EnvironmentState, to: EnvironmentState) {
        self.from = from
        self.to = to
    }
}

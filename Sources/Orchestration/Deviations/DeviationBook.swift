import EnvironmentGraph
import Storage

/// What is recorded of deviations, in the caller's transaction.
struct DeviationBook {
    let store: any StoreWriting
    let environment: EnvironmentID
    /// For the history.
    let name: String
    let now: Int64

    /// Found: a new record, or the same one again.
    ///
    /// - Parameters:
    ///   - times: how often it happened, of what can happen several times between two looks.
    ///   - isQuiet: whether the history is spared: it is full of the same already.
    func found(_ finding: Finding, remedy: String?, times: Int = 1, isQuiet: Bool = false) throws {
        var record =
            try existing(finding.key)
            ?? DeviationRecord(
                environment: environment, service: finding.service, kind: finding.kind, message: finding.message,
                remedy: remedy, count: 0, firstSeenAt: now, lastSeenAt: now)
        if record.state != .open { (record.actedAt, record.isToBeMended) = (nil, nil) }
        record.state = .open
        record.message = finding.message
        record.remedy = remedy
        record.count += times
        record.lastSeenAt = now
        try store.save(record)
        guard !isQuiet else { return }
        try note(.deviationFound, finding.service, finding.message)
    }

    /// Something is done about it.
    func acted(_ finding: Finding) throws {
        guard var record = try existing(finding.key), record.state == .open else { return }
        record.actedAt = now
        record.remedy = finding.remedy.done
        record.isToBeMended = nil
        try store.save(record)
    }

    /// It is not there any more.
    func ended(_ record: DeviationRecord, isQuiet: Bool = false) throws {
        var record = record
        // A process that ended is there again because its runtime follows its restart policy.
        let isMended = record.actedAt != nil || record.kind == .processEnded
        record.state = isMended ? .mended : .gone
        if record.kind == .processEnded { record.remedy = Finding.Remedy.itself.done }
        if !isMended { record.remedy = nil }
        record.isToBeMended = nil
        record.lastSeenAt = now
        try store.save(record)
        guard !isQuiet else { return }
        let how = record.remedy ?? "it went away by itself"
        try note(.deviationMended, record.service, "\(record.kind.words): \(how)")
    }

    private func existing(_ key: Finding.Key) throws -> DeviationRecord? {
        try store.deviations(of: environment).first { $0.key == key }
    }

    private func note(_ kind: EventRecord.Kind, _ service: String?, _ message: String) throws {
        try store.append(
            EventRecord(
                time: now, environment: environment, name: name, kind: kind, service: service, actor: "microstax",
                message: message))
    }
}

extension DeviationRecord.Kind {
    /// For a person.
    package var words: String {
        switch self {
        case .processEnded: "process ended"
        case .crashLoop: "ends again and again"
        case .workloadMissing: "missing"
        case .workloadChanged: "changed"
        case .workloadUnexpected: "unexpected"
        case .volumeMissing: "volume missing"
        case .fileChanged: "file changed"
        case .orphan: "orphan"
        }
    }
}

/// The gateways that share this one's memory of traces. They speak through it: what is waited for, and who uses what, at any of
/// them is said by this one, so that the server need not know of them.
actor Followers {
    /// So many at once.
    private static let most = 64
    private static let patience = Duration.seconds(2)
    private static let pause = Duration.milliseconds(200)

    private let bell: WakeBell
    private var controls: [Int: GatewayControl] = [:]
    private var last = 0

    /// - Parameter bell: rung when something begins to wait at one of them.
    init(_ bell: WakeBell) { self.bell = bell }

    /// Until its connection ends.
    ///
    /// - Parameter folder: its state folder; nil: it does not say.
    func attend(_ folder: String?, _ link: MessageSocket) async {
        guard controls.count < Self.most else { return link.end() }
        last += 1
        let ticket = last
        let control = folder.map { GatewayControl(folder: $0) }
        controls[ticket] = control
        await withTaskGroup(of: Void.self) { group in
            group.addTask { await link.untilOver() }
            if let control { group.addTask { await self.listen(to: control) } }
            await group.next()
            group.cancelAll()
        }
        controls[ticket] = nil
    }

    /// What is waited for just now. Whoever does not answer is asked again when it has something.
    func wanted() async -> Set<WantedCopy> {
        await withTaskGroup(of: [WantedCopy].self) { group in
            for control in controls.values {
                group.addTask { (try? await control.wanted(since: nil, within: Self.patience))?.wanted ?? [] }
            }
            var all: Set<WantedCopy> = []
            for await theirs in group { all.formUnion(theirs) }
            return all
        }
    }

    /// With what they say.
    ///
    /// - Throws: where one does not answer: that is no sign of idleness.
    func activity(joining own: ActivitySnapshot) async throws -> ActivitySnapshot {
        var total = own
        for control in controls.values { total.join(try await control.activity(within: Self.patience)) }
        return total
    }

    /// Until cancelled.
    private func listen(to control: GatewayControl) async {
        var number: UInt64?
        while !Task.isCancelled {
            do {
                let reply = try await control.wanted(since: number)
                if reply.number != number, !reply.wanted.isEmpty { bell.ring() }
                number = reply.number
            } catch {
                // It is just ending, or beginning. Cancelled: the loop ends.
                try? await Task.sleep(for: Self.pause)
            }
        }
    }
}

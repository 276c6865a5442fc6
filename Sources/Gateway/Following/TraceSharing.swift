import EnvironmentGraph
import Files
import Foundation
import Logging

/// Makes a standalone gateway's memory of traces one with that of its control plane's own gateway, on the same machine: both
/// map it, so that what one has seen is known to the other before the request goes on. When that gateway is replaced, the
/// memory stays the same; when it dies, the next one is given what is remembered here.
actor TraceSharing {
    /// Between attempts: a gateway that was just there is back soon, or for a while not at all.
    private static let (pause, longPause, patientAfter) = (Duration.milliseconds(25), Duration.seconds(1), 400)
    private static let patience = Duration.seconds(2)

    private let traces: TraceMemory
    /// Of this gateway.
    private let folder: String
    /// The place is kept there: a gateway may start while its control plane is away.
    private let path: String
    private let logger: Logger
    private var place: TracePlace?
    private var link: MessageSocket?
    /// Why nothing is shared just now; `nil`: it is.
    private(set) var problem: String? = "the control plane has not said yet where its own gateway is"

    init(_ traces: TraceMemory, folder: String, logger: Logger) {
        self.traces = traces
        self.logger = logger
        self.folder = URL(filePath: folder).path
        path = folder + "/traces.json"
        // None is kept, or it cannot be read: the control plane says it again.
        place = FileManager.default.contents(atPath: path).flatMap {
            try? JSONDecoder().decode(TracePlace.self, from: $0)
        }
    }

    /// As ``ask()``, of the gateway that the control plane names.
    func share(with place: TracePlace) async {
        if place != self.place {
            self.place = place
            drop()
            do {
                try AtomicFile.write(Array(try JSONEncoder().encode(place)), to: path)
            } catch {
                logger.warning("where traces are shared could not be kept", metadata: ["error": "\(error)"])
            }
        }
        await ask()
    }

    /// Until cancelled.
    func run() async {
        var attempts = 0
        while !Task.isCancelled {
            await ask()
            guard let link else {
                attempts += 1
                // Cancelled: the loop ends.
                try? await Task.sleep(for: attempts < Self.patientAfter ? Self.pause : Self.longPause)
                continue
            }
            attempts = 0
            await link.untilOver()
            if self.link === link { self.link = nil }
        }
        drop()
    }

    private func drop() {
        link?.end()
        link = nil
    }

    /// Once; returns when it is so, or did not work.
    func ask() async {
        guard link == nil, let place else { return }
        do {
            guard place.machine == TracePlace.thisMachine else {
                throw TraceRegion.Failure(description: "it is on another machine")
            }
            let path = GatewayConfiguration.handoverPath(inFolder: place.folder)
            let link = try await MessageSocket.connected(path)
            try link.send(HandoverMessage(.traces, folder: folder))
            guard let descriptor = try await link.receive(within: Self.patience)?.descriptors.first else {
                throw TraceRegion.Failure(description: "it does not share its traces")
            }
            try traces.share(descriptor, now: LoopPart.milliseconds())
            // Somebody else was faster, or the place is another one now.
            guard self.link == nil, self.place == place else { return link.end() }
            self.link = link
            say(nil)
        } catch {
            say("\(error)")
        }
    }

    private func say(_ problem: String?) {
        defer { self.problem = problem }
        guard problem != self.problem else { return }
        if let problem {
            logger.warning(
                "traces are not shared with the control plane's own gateway", metadata: ["reason": "\(problem)"])
        } else {
            logger.info("traces are shared with the control plane's own gateway")
        }
    }
}

extension TracePlace {
    /// Of this boot; empty where the kernel does not say.
    package static let thisMachine: String =
        (try? String(contentsOfFile: "/proc/sys/kernel/random/boot_id", encoding: .utf8))?
        .trimmingCharacters(in: .whitespacesAndNewlines) ?? ""
}

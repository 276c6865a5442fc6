/// Where a gateway can be asked for its memory of traces.
package struct TracePlace: Sendable, Hashable, Codable {
    /// Of the machine since it was started (`/proc/sys/kernel/random/boot_id`): a path means nothing on another one.
    package var machine: String
    /// The gateway's state folder, as an absolute path.
    package var folder: String

    package init(machine: String, folder: String) {
        self.machine = machine
        self.folder = folder
    }
}

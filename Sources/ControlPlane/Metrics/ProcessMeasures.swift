import Glibc

/// What the kernel knows of this process, under the names that Prometheus' own clients use.
struct ProcessMeasures: Sendable {
    /// User and system time.
    var cpuSeconds = 0.0
    var residentBytes = 0.0
    var virtualBytes = 0.0
    var threads = 0.0
    var openDescriptors = 0.0
    var descriptorLimit = 0.0
    /// Since 1970.
    var startSeconds: Double

    /// - Parameter startedAt: milliseconds since 1970.
    init(startedAt: Int64) {
        startSeconds = Double(startedAt) / 1000
        // After the name, which may hold anything; see proc(5).
        let fields = Self.read("/proc/self/stat").split(separator: ")").last?.split(separator: " ") ?? []
        func field(_ number: Int) -> Double {
            fields.indices.contains(number - 3) ? Double(fields[number - 3]) ?? 0 : 0
        }
        cpuSeconds = (field(14) + field(15)) / Double(max(1, sysconf(Int32(_SC_CLK_TCK))))
        threads = field(20)
        virtualBytes = field(23)
        residentBytes = field(24) * Double(sysconf(Int32(_SC_PAGESIZE)))
        openDescriptors = Double(Self.countEntries("/proc/self/fd"))
        var limit = rlimit()
        if getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0 {
            descriptorLimit = Double(limit.rlim_cur)
        }
    }

    func add(to text: inout MetricsText) {
        text.add("process_cpu_seconds_total", .counter, "User and system CPU time in seconds.", cpuSeconds)
        text.add("process_resident_memory_bytes", .gauge, "Resident memory in bytes.", residentBytes)
        text.add("process_virtual_memory_bytes", .gauge, "Virtual memory in bytes.", virtualBytes)
        text.add("process_open_fds", .gauge, "Open file descriptors.", openDescriptors)
        text.add("process_max_fds", .gauge, "The most file descriptors that may be open.", descriptorLimit)
        text.add("process_threads", .gauge, "Threads.", threads)
        text.add("process_start_time_seconds", .gauge, "Start of the process in seconds since 1970.", startSeconds)
    }

    private static func read(_ path: String) -> String {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { return "" }
        defer { close(descriptor) }
        var buffer = [UInt8](repeating: 0, count: 4096)
        let count = Glibc.read(descriptor, &buffer, buffer.count)
        return String(decoding: buffer.prefix(max(0, count)), as: UTF8.self)
    }

    /// Without `.`, `..` and the one that the counting takes.
    private static func countEntries(_ path: String) -> Int {
        guard let folder = opendir(path) else { return 0 }
        defer { closedir(folder) }
        var count = -3
        while readdir(folder) != nil { count += 1 }
        return max(0, count)
    }
}

// swift-tools-version: 6.0

import PackageDescription

/// Every target is held to the same strictness: Swift 6 mode, no warning, `any` written out, imports where they are used.
let strict: [SwiftSetting] = [
    .swiftLanguageMode(.v6),
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("MemberImportVisibility"),
    .unsafeFlags(["-warnings-as-errors"]),
]

/// The data plane's hot path: in release the dynamic exclusivity checks are off, which cost a tenth of its time; debug
/// builds, and so all tests, keep them.
let hot: [SwiftSetting] =
    strict + [
        .unsafeFlags(["-enforce-exclusivity=unchecked"], .when(configuration: .release))
    ]

/// The target graph is the one of docs/internals/architecture.md; `ArchitectureTests` holds the two together.
func module(
    _ name: String, _ dependencies: [Target.Dependency] = [], settings: [SwiftSetting] = strict
) -> Target {
    .target(name: name, dependencies: dependencies, swiftSettings: settings)
}

func tests(_ name: String, _ dependencies: [Target.Dependency]) -> Target {
    .testTarget(name: name, dependencies: dependencies, swiftSettings: strict)
}

func product(_ name: String, _ package: String) -> Target.Dependency { .product(name: name, package: package) }

let nioCore = product("NIOCore", "swift-nio")
let nioPosix = product("NIOPosix", "swift-nio")
let nioHTTP1 = product("NIOHTTP1", "swift-nio")
let nioConcurrency = product("NIOConcurrencyHelpers", "swift-nio")
let nioTLS = product("NIOTLS", "swift-nio")
let nioSSL = product("NIOSSL", "swift-nio-ssl")
let x509 = product("X509", "swift-certificates")
let asn1 = product("SwiftASN1", "swift-asn1")
let logging = product("Logging", "swift-log")
let crypto = product("Crypto", "swift-crypto")
let argumentParser = product("ArgumentParser", "swift-argument-parser")
let yams = product("Yams", "Yams")
let sqlite = product("SwiftToolchainCSQLite", "swift-toolchain-sqlite")

let package = Package(
    name: "microstax",
    platforms: [.macOS(.v15)],
    products: [.executable(name: "microstax", targets: ["microstax"])],
    dependencies: [
        .package(url: "https://github.com/apple/swift-nio.git", from: "2.65.0"),
        .package(url: "https://github.com/apple/swift-nio-ssl.git", from: "2.15.0"),
        .package(url: "https://github.com/apple/swift-certificates.git", from: "1.0.1"),
        .package(url: "https://github.com/apple/swift-asn1.git", from: "1.0.0"),
        .package(url: "https://github.com/apple/swift-log.git", from: "1.5.4"),
        .package(url: "https://github.com/apple/swift-argument-parser.git", from: "1.4.0"),
        .package(url: "https://github.com/apple/swift-crypto.git", from: "3.0.0"),
        .package(url: "https://github.com/swiftlang/swift-toolchain-sqlite.git", from: "1.0.1"),
        .package(url: "https://github.com/jpsim/Yams.git", from: "5.0.6"),
    ],
    targets: [
        // C: the few system calls that Swift cannot make safely (fork, prctl).
        .target(name: "CPlatform"),

        .systemLibrary(name: "CNghttp2", pkgConfig: "libnghttp2", providers: [.apt(["libnghttp2-dev"])]),

        // pure
        module("Contracts", [yams]),
        module("HTTPWire", settings: hot),
        module("Blueprints", [yams]),
        module("EnvironmentGraph", ["Blueprints", crypto]),
        module("Diagnosis", ["EnvironmentGraph", "Blueprints"]),

        // below every driver and engine that writes files
        module("Files"),

        // the local certificate authority
        module("Certificates", ["Files", x509, asn1, crypto]),

        // transport
        module("HTTPTransport", [nioCore, nioPosix, nioHTTP1, logging, crypto]),

        // ports
        module("Runtimes", ["EnvironmentGraph", "Blueprints"]),
        module("Storage", ["EnvironmentGraph", "Blueprints"]),

        // drivers
        module(
            "ProcessRuntime",
            ["Runtimes", "EnvironmentGraph", "Blueprints", "HTTPTransport", "Files", "CPlatform", logging]),
        module("SimulatedRuntime", ["Runtimes", "EnvironmentGraph", "Blueprints"]),
        module("SQLiteStore", ["Storage", "EnvironmentGraph", "Blueprints", "Files", sqlite]),

        // engines
        module("Orchestration", ["Runtimes", "Storage", "EnvironmentGraph", "Blueprints", "HTTPTransport", logging]),
        module(
            "Gateway",
            [
                "HTTPWire", "CNghttp2", "EnvironmentGraph", "Blueprints", "HTTPTransport", "Files", "Certificates",
                "CPlatform", nioCore, nioPosix, nioConcurrency, nioTLS, nioSSL, logging,
            ], settings: hot),

        // surfaces
        module("API"),
        module("APIClient", ["API", "HTTPTransport"]),
        module("Commands", ["APIClient", "API", "Blueprints", argumentParser, yams]),
        module(
            "ControlPlane",
            [
                "API", "HTTPTransport", "Orchestration", "Gateway", "ProcessRuntime", "SQLiteStore", "Runtimes",
                "Storage", "Diagnosis", "Contracts", "EnvironmentGraph", "Blueprints", "Files", logging, crypto,
            ]),
        .executableTarget(
            name: "microstax",
            dependencies: [
                "Commands", "ControlPlane", "Gateway", "ProcessRuntime", "Orchestration", "Storage", "APIClient", "API",
                "EnvironmentGraph",
                "HTTPTransport", "Certificates", argumentParser, logging,
            ],
            swiftSettings: strict),

        // tests
        .target(name: "TestSupport", dependencies: ["CPlatform"], path: "Tests/TestSupport", swiftSettings: strict),
        tests("ArchitectureTests", []),
        tests("FilesTests", ["Files", "TestSupport"]),
        tests("CertificatesTests", ["Certificates", "TestSupport", x509, asn1]),
        tests("HTTPWireTests", ["HTTPWire", "TestSupport"]),
        tests("ContractsTests", ["Contracts", "TestSupport"]),
        tests("BlueprintsTests", ["Blueprints", "TestSupport"]),
        tests("EnvironmentGraphTests", ["EnvironmentGraph", "Blueprints", "TestSupport"]),
        tests("DiagnosisTests", ["Diagnosis", "EnvironmentGraph", "Blueprints", "TestSupport"]),
        tests("HTTPTransportTests", ["HTTPTransport", "TestSupport"]),
        .target(
            name: "RuntimeConformance", dependencies: ["Runtimes", "EnvironmentGraph", "Blueprints", "TestSupport"],
            path: "Tests/RuntimeConformance", swiftSettings: strict),
        .executableTarget(
            name: "supervisor-fixture",
            dependencies: ["ProcessRuntime", "Runtimes", "EnvironmentGraph", "Blueprints", "HTTPTransport"],
            path: "Tests/SupervisorFixture", swiftSettings: strict),
        tests(
            "ProcessRuntimeTests",
            [
                "ProcessRuntime", "Runtimes", "RuntimeConformance", "supervisor-fixture", "EnvironmentGraph",
                "Blueprints",
                "HTTPTransport", "TestSupport",
            ]),
        .target(
            name: "StoreConformance", dependencies: ["Storage", "EnvironmentGraph", "Blueprints"],
            path: "Tests/StoreConformance", swiftSettings: strict),
        .executableTarget(
            name: "store-fixture",
            dependencies: ["SQLiteStore", "Storage", "EnvironmentGraph", "Blueprints"],
            path: "Tests/StoreFixture", swiftSettings: strict),
        tests(
            "SQLiteStoreTests",
            [
                "SQLiteStore", "Storage", "StoreConformance", "store-fixture", "EnvironmentGraph", "Blueprints",
                "TestSupport", sqlite,
            ]),
        .target(
            name: "SimulatedStore", dependencies: ["SimulatedRuntime", "Storage", "EnvironmentGraph", "Blueprints"],
            path: "Tests/SimulatedStore", swiftSettings: strict),
        .executableTarget(
            name: "simulation",
            dependencies: [
                "ControlPlane", "Orchestration", "SimulatedRuntime", "SimulatedStore", "Storage", "Runtimes",
                "EnvironmentGraph", "Blueprints", "API", "HTTPTransport", logging,
            ],
            path: "Tests/Simulation", swiftSettings: strict),
        .executableTarget(
            name: "scale-bench",
            dependencies: [
                "ControlPlane", "Orchestration", "SimulatedRuntime", "SQLiteStore", "Storage", "Runtimes",
                "EnvironmentGraph", "Blueprints", "API", "HTTPTransport", logging,
            ],
            path: "Tests/Scale", swiftSettings: strict),
        .executableTarget(
            name: "graph-bench", dependencies: ["Gateway", "Contracts", "EnvironmentGraph", "Blueprints"],
            path: "Tests/GraphBench", swiftSettings: strict),
        tests(
            "SimulationTests",
            [
                "SimulatedRuntime", "SimulatedStore", "simulation", "StoreConformance", "RuntimeConformance",
                "Runtimes",
                "EnvironmentGraph", "TestSupport",
            ]),
        tests(
            "OrchestrationTests",
            [
                "Orchestration", "Runtimes", "Storage", "SQLiteStore", "EnvironmentGraph", "Blueprints", "TestSupport",
            ]),
        tests(
            "GatewayTests",
            [
                "Gateway", "HTTPWire", "HTTPTransport", "EnvironmentGraph", "Blueprints", "Certificates", "CNghttp2",
                "CPlatform", "TestSupport",
            ]),
        tests("CommandsTests", ["Commands", "APIClient", "API", "HTTPTransport", "TestSupport", argumentParser]),
        tests(
            "ControlPlaneTests",
            [
                "ControlPlane", "API", "Storage", "SQLiteStore", "Orchestration", "EnvironmentGraph", "Gateway",
                "HTTPWire", "Runtimes", "Blueprints", "Files", "TestSupport", logging,
            ]),
        .testTarget(
            name: "ProductTests", dependencies: ["API", "TestSupport"], exclude: ["Services"], swiftSettings: strict),
    ]
)

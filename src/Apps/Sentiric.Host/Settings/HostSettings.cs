using System.Globalization;
using System.Net;
using System.Security.Cryptography;
using Npgsql;
using Sentiric.EventStore;
using Sentiric.Sip;

namespace Sentiric.Host.Settings;

/// <summary>
/// Every setting of the host, read and checked once at the start. Names are those of the environment with ':' for '__'.
/// </summary>
public sealed class HostSettings
{
    private readonly IConfiguration _configuration;

    public HostSettings(IConfiguration configuration, RoleSet roles)
    {
        _configuration = configuration;
        Roles = roles;
        Postgres = ConnectionString("ConnectionStrings:Postgres");
        Rabbit = RabbitAddress("ConnectionStrings:Rabbit");
        Redis = Text("ConnectionStrings:Redis");
        SipListen = Text("Sip:Listen") ?? "udp://127.0.0.1:5060,tcp://127.0.0.1:5060";
        SipTls = Certificates();
        SipRealm = Text("Sip:Realm") ?? "sentiric";
        SipAllowedSources = [.. List("Sip:AllowedSources", "127.0.0.0/8,::1/128").Select(Network)];
        Sip = new SipSettings(configuration);
        SipMaxCalls = Number("Sip:MaxCalls", 500, 1, 100_000);
        MediaAddress = Address("Media:Address", IPAddress.Loopback);
        MediaPublicAddress = Text("Media:PublicAddress") is null ? null : Address("Media:PublicAddress", IPAddress.None);
        if (MediaPublicAddress is null && MediaAddress.Equals(IPAddress.Any))
        {
            throw new SettingsException("Media__Address is 0.0.0.0, which in SDP would mean hold: Media__PublicAddress must say where RTP is to be sent.");
        }

        SipPublicAddress = Text("Sip:PublicAddress") is null ? null : Address("Sip:PublicAddress", IPAddress.None);
        MediaPorts = PortRange("Media:PortRange", "30000-31999");
        MediaTimeoutSeconds = Number("Media:TimeoutSeconds", 20, 1, 3600);
        RecordingFolder = Text("Recording:Folder") ?? Path.Combine(AppContext.BaseDirectory, "recordings");
        ModelFolder = Text("Speech:ModelFolder") ?? Path.Combine(AppContext.BaseDirectory, "models");
        NativeFolder = Text("Speech:NativeFolder") ?? AppContext.BaseDirectory;
        Espeak = Text("Speech:Espeak") ?? "espeak-ng";
        EspeakLibraryPath = Text("Speech:EspeakLibraryPath");
        EspeakDataPath = Text("Speech:EspeakDataPath");
        SpeechRemote = Url("Speech:RemoteUrl");
        LlmUrl = Url("Llm:Url");
        LlmModel = Text("Llm:Model") ?? "default";
        LlmKey = Text("Llm:Key");
        AdminKeyFile = Text("Gateway:AdminKeyFile");
        DefaultTenant = Text("Gateway:DefaultTenant") ?? "demo";
        RequestsPerMinute = Number("Gateway:RequestsPerMinute", 6000, 1, 1_000_000);
        SeedDemo = Switch("Demo:Seed");
        ServiceKey = Text("Services:Key");
        AuditEnabled = Text("Audit:Enabled") is null || Switch("Audit:Enabled");
        AuditKeyFile = Text("Audit:KeyFile") ?? Path.Combine(Path.GetDirectoryName(AdminKeyFile) ?? AppContext.BaseDirectory, "audit-key.pem");
        AuditFormerKeyFile = Text("Audit:FormerKeyFile");
        AuditAnchorFile = Text("Audit:AnchorFile");
        AuditIntervalSeconds = Number("Audit:IntervalSeconds", 2, 1, 3600);
        MasterKeys = Keys("Privacy:MasterKeyFile", "Privacy:MasterKeys");
        KeySchema = Text("Privacy:KeySchema");
        ErasureLogYears = Number("Privacy:ErasureLogYears", 3, 1, 30);
        StoreOptions = new StoreSettings(Text("Store:Schema"), Text("Store:Marten"), Text("Store:ArchiveFolder"), Switch("Store:ForeignWriters")).ToOptions();

        if (Postgres is null && (roles.Has(Role.Write) || roles.Has(Role.Read)))
        {
            throw new SettingsException("ConnectionStrings__Postgres is not set: the write and read roles keep their events there. './sentiric infra env' prints it.");
        }

        if (Rabbit is null && !roles.IsAll && NeedsBus(roles))
        {
            throw new SettingsException($"ConnectionStrings__Rabbit is not set: roles {roles} run apart from the others and talk to them over RabbitMQ.");
        }
    }

    public RoleSet Roles { get; }

    /// <summary>ConnectionStrings:Postgres.</summary>
    public string? Postgres { get; }

    /// <summary>ConnectionStrings:Rabbit, an amqp:// address; absent: the in-memory bus.</summary>
    public string? Rabbit { get; }

    /// <summary>ConnectionStrings:Redis; absent: in-memory call state.</summary>
    public string? Redis { get; }

    /// <summary>Sip:Listen, "udp://127.0.0.1:5060,tcp://127.0.0.1:5060,tls://127.0.0.1:5061".</summary>
    public string SipListen { get; }

    /// <summary>Sip:TlsCertificateFile and its key, Sip:TlsTrustFile with believed roots (absent: the machine's), Sip:TlsRequireClientCertificate.</summary>
    public SipTlsOptions? SipTls { get; }

    /// <summary>Sip:Realm of phones that register.</summary>
    public string SipRealm { get; }

    /// <summary>Sip:AllowedSources, comma separated addresses or CIDR blocks that may send calls; empty: loopback only.</summary>
    public IReadOnlyList<IPNetwork> SipAllowedSources { get; }

    /// <summary>What else the sip role is told.</summary>
    public SipSettings Sip { get; }

    /// <summary>Sip:MaxCalls, 1..100000.</summary>
    public int SipMaxCalls { get; }

    /// <summary>Media:Address that stands in the SDP.</summary>
    public IPAddress MediaAddress { get; }

    /// <summary>Media:PublicAddress that stands in the SDP instead, for hosts behind a static NAT or a port mapping.</summary>
    public IPAddress? MediaPublicAddress { get; }

    /// <summary>Sip:PublicAddress that stands in Via and Contact, likewise.</summary>
    public IPAddress? SipPublicAddress { get; }

    /// <summary>Media:PortRange "from-to", even ports for RTP; "0" lets the kernel choose.</summary>
    public (int From, int To) MediaPorts { get; }

    /// <summary>Media:TimeoutSeconds without RTP after which a call ends, 1..3600.</summary>
    public int MediaTimeoutSeconds { get; }

    /// <summary>Recording:Folder.</summary>
    public string RecordingFolder { get; }

    /// <summary>Speech:ModelFolder with the built-in recogniser.</summary>
    public string ModelFolder { get; }

    /// <summary>Speech:NativeFolder with libonnxruntime.so and silero_vad.onnx.</summary>
    public string NativeFolder { get; }

    /// <summary>Speech:Espeak, path of espeak-ng.</summary>
    public string Espeak { get; }

    public string? EspeakLibraryPath { get; }

    public string? EspeakDataPath { get; }

    /// <summary>Speech:RemoteUrl of an OpenAI-compatible speech server; absent: the built-in engines.</summary>
    public Uri? SpeechRemote { get; }

    /// <summary>Llm:Url of an OpenAI-compatible server, e.g. http://127.0.0.1:8080/v1; absent: the built-in dialogue engine.</summary>
    public Uri? LlmUrl { get; }

    public string LlmModel { get; }

    public string? LlmKey { get; }

    /// <summary>Gateway:AdminKeyFile holds the platform administrator's API key.</summary>
    public string? AdminKeyFile { get; }

    /// <summary>Gateway:DefaultTenant that the administrator's key works on when a request names none.</summary>
    public string DefaultTenant { get; }

    /// <summary>Gateway:RequestsPerMinute per key, 1..1000000.</summary>
    public int RequestsPerMinute { get; }

    /// <summary>Demo:Seed "true" creates the demo tenant at the start.</summary>
    public bool SeedDemo { get; }

    /// <summary>Audit:Enabled "false" leaves the event log unsigned.</summary>
    public bool AuditEnabled { get; }

    /// <summary>Audit:KeyFile with the private key that signs the event log, made when there is none; absent: audit-key.pem beside Gateway:AdminKeyFile, or beside the program.</summary>
    public string AuditKeyFile { get; }

    /// <summary>Audit:FormerKeyFile with the key before, which vouches for a new one.</summary>
    public string? AuditFormerKeyFile { get; }

    /// <summary>Audit:AnchorFile that always holds the newest checkpoint; a database that was set back does not fit it.</summary>
    public string? AuditAnchorFile { get; }

    /// <summary>Audit:IntervalSeconds, 1..3600: how long events wait for their signature at most.</summary>
    public int AuditIntervalSeconds { get; }

    /// <summary>
    /// Privacy:MasterKeyFile, or Privacy:MasterKeys itself: lines "id:base64 of 32 bytes", the current one first. Absent: personal data is stored in clear.
    /// </summary>
    public MasterKeys? MasterKeys { get; }

    /// <summary>Privacy:KeySchema of the data keys' tables; absent: the schema of the store.</summary>
    public string? KeySchema { get; }

    /// <summary>Privacy:ErasureLogYears for which receipts of erasures are kept, 1..30.</summary>
    public int ErasureLogYears { get; }

    /// <summary>Store:Schema, Store:Marten, Store:ArchiveFolder, Store:ForeignWriters: where the events lie, in whose tables, and who else writes there.</summary>
    public PostgresEventStoreOptions StoreOptions { get; }

    /// <summary>Services:Key, the secret that roles show each other.</summary>
    public string? ServiceKey { get; }

    /// <summary>Services:Write and so on: where another role answers. Null when this process has the role itself.</summary>
    public Uri? Service(Role role) => Roles.Has(role)
        ? null
        : Url("Services:" + role) ?? throw new SettingsException($"Services__{role} is not set: this process has roles {Roles} and must know where {role} answers.");

    private static bool NeedsBus(RoleSet roles) => roles.Has(Role.Write) || roles.Has(Role.Sip) || roles.Has(Role.Agent) || roles.Has(Role.Read) || roles.Has(Role.Gateway);

    private string? Text(string key) => _configuration[key] is { Length: > 0 } text ? text : null;

    private string[] List(string key, string fallback) =>
        (Text(key) ?? fallback).Split(',', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);

    private int Number(string key, int fallback, int from, int to) => Text(key) is not { } text
        ? fallback
        : int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var number) && number >= from && number <= to
            ? number
            : throw new SettingsException($"{Name(key)} is '{text}': a whole number from {from} to {to} is needed.");

    private MasterKeys? Keys(string file, string inline)
    {
        try
        {
            return Text(file) is { } path ? EventStore.MasterKeys.FromFile(path) : Text(inline) is { } text ? EventStore.MasterKeys.Parse(text) : null;
        }
        catch (MasterKeyException e)
        {
            throw new SettingsException($"{Name(Text(file) is null ? inline : file)}: {e.Message}");
        }
    }

    private SipTlsOptions? Certificates()
    {
        if (Text("Sip:TlsCertificateFile") is not { } file)
        {
            return null;
        }

        try
        {
            return SipTlsOptions.FromFiles(file, Text("Sip:TlsKeyFile"), Text("Sip:TlsTrustFile")) with { RequireClientCertificate = Switch("Sip:TlsRequireClientCertificate") };
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or CryptographicException or ArgumentException)
        {
            throw new SettingsException($"Sip__TlsCertificateFile, Sip__TlsKeyFile, Sip__TlsTrustFile: {e.Message} PEM files with a certificate, its key and believed roots are needed.");
        }
    }

    private Uri? Url(string key) => Text(key) is not { } text
        ? null
        : Uri.TryCreate(text.EndsWith('/') ? text : text + "/", UriKind.Absolute, out var url) && url.Scheme is "http" or "https"
            ? url
            : throw new SettingsException($"{Name(key)} is '{text}': an http:// or https:// address is needed.");

    private bool Switch(string key) => Text(key) is { } text
        && (bool.TryParse(text, out var on) ? on : throw new SettingsException($"{Name(key)} is '{text}': true or false is needed."));

    // The text itself is not repeated: it may hold a password.
    private string? ConnectionString(string key)
    {
        try
        {
            return Text(key) is { } text ? new NpgsqlConnectionStringBuilder(text).ConnectionString : null;
        }
        catch (ArgumentException e)
        {
            throw new SettingsException($"{Name(key)} cannot be read: {e.Message} 'Host=...;Port=...;Username=...;Database=...' is needed.");
        }
    }

    private string? RabbitAddress(string key) => Text(key) is not { } text ? null
        : Uri.TryCreate(text, UriKind.Absolute, out var url) && url.Scheme is "amqp" or "amqps" or "rabbitmq" ? text
        : throw new SettingsException($"{Name(key)} cannot be read: an amqp:// address is needed.");

    private IPAddress Address(string key, IPAddress fallback) => Text(key) is not { } text
        ? fallback
        : IPAddress.TryParse(text, out var address) ? address : throw new SettingsException($"{Name(key)} is '{text}': an IP address is needed.");

    private IPNetwork Network(string text) =>
        IPNetwork.TryParse(text, out var network) ? network
        : IPAddress.TryParse(text, out var address) ? new IPNetwork(address, address.GetAddressBytes().Length * 8)
        : throw new SettingsException($"Sip__AllowedSources has '{text}': addresses or CIDR blocks are needed, e.g. 10.0.0.0/8.");

    private (int, int) PortRange(string key, string fallback)
    {
        var text = Text(key) ?? fallback;
        if (text == "0")
        {
            return (0, 0);
        }

        var parts = text.Split('-', 2);
        return parts.Length == 2 && ushort.TryParse(parts[0], CultureInfo.InvariantCulture, out var from)
            && ushort.TryParse(parts[1], CultureInfo.InvariantCulture, out var to) && from > 1023 && to > from
            ? (from, to)
            : throw new SettingsException($"{Name(key)} is '{text}': 'from-to' with ports from 1024 to 65535, or 0, is needed.");
    }

    private static string Name(string key) => key.Replace(":", "__", StringComparison.Ordinal);
}

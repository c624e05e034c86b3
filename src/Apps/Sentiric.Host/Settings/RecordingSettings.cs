using Sentiric.Calls.Media;
using Sentiric.Media;

namespace Sentiric.Host.Settings;

/// <summary>Where and how calls are recorded: Recording:Folder, Recording:Format and Recording:S3*.</summary>
public sealed class RecordingSettings
{
    public RecordingSettings(IConfiguration configuration)
    {
        var read = new SettingsReader(configuration);
        Folder = read.Text("Recording:Folder") ?? Path.Combine(AppContext.BaseDirectory, "recordings");
        Format = read.Text("Recording:Format") switch
        {
            null or "wav" => RecordingFormat.Wav,
            "flac" => RecordingFormat.Flac,
            { } other => throw new SettingsException($"Recording__Format is '{other}': wav or flac is needed."),
        };
        Bucket = read.Text("Recording:S3Url") is { } url ? Location(read, url) : null;
    }

    public string Folder { get; }

    public RecordingFormat Format { get; }

    /// <summary>Recording:S3Url, Recording:S3Bucket, Recording:S3Region, Recording:S3AccessKey, Recording:S3SecretKeyFile; absent: recordings stay in the folder.</summary>
    public S3Location? Bucket { get; }

    public RecordingPlace ToPlace(TimeProvider clock) =>
        new(Folder, Format, Bucket is { } location ? new S3Bucket(new HttpClient { Timeout = TimeSpan.FromMinutes(10) }, location, clock) : null);

    private static S3Location Location(SettingsReader read, string url)
    {
        if (!Uri.TryCreate(url, UriKind.Absolute, out var endpoint) || endpoint.Scheme is not ("http" or "https"))
        {
            throw new SettingsException($"Recording__S3Url is '{url}': an http:// or https:// address is needed.");
        }

        var bucket = Needed(read, "Recording:S3Bucket");
        var credentials = new S3Credentials(Needed(read, "Recording:S3AccessKey"), Secret(Needed(read, "Recording:S3SecretKeyFile")));
        return new S3Location(endpoint, bucket, read.Text("Recording:S3Region") ?? "us-east-1", credentials);
    }

    private static string Needed(SettingsReader read, string key) =>
        read.Text(key) ?? throw new SettingsException($"{read.Name(key)} is not set: Recording__S3Url needs it.");

    private static string Secret(string path)
    {
        try
        {
            return File.ReadAllText(path).Trim();
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new SettingsException($"Recording__S3SecretKeyFile cannot be read: {e.Message}");
        }
    }
}

using Sentiric.Host.Settings;
using Sentiric.Speech;
using Sentiric.Speech.Native;

namespace Sentiric.Host.Roles;

/// <summary>Speech to text, text to speech, and the agent's own ear for voice activity.</summary>
internal static class SpeechRoles
{
    private const string ModelId = "sentiric-ctc-tr-8k";

    public static void Add(IServiceCollection services, HostSettings settings)
    {
        var roles = settings.Roles;
        if (roles.Has(Role.Stt))
        {
            services.AddSingleton(new SpeechWorkerPool(Environment.ProcessorCount));
            services.AddSingleton(s => Recognizer(settings, s));
        }

        if (roles.Has(Role.Tts))
        {
            services.AddSingleton(_ => Synthesizer(settings));
        }

        if (roles.Has(Role.Agent))
        {
            services.AddSingleton<ITurnDetector, RuleTurnDetector>();
            services.AddSingleton(s => Ears(settings, s.GetRequiredService<ILogger<SileroVadFactory>>()));
        }
    }

    private static ISpeechRecognizer Recognizer(HostSettings settings, IServiceProvider services) => settings.SpeechRemote is { } remote
        ? new OpenAiSpeechRecognizer(new HttpClient(), new OpenAiSpeechOptions { BaseAddress = remote })
        : new CtcRecognizer(
            OnnxRuntime.Load(Native(settings)),
            new CtcRecognizerOptions
            {
                ModelPath = Path.Combine(settings.ModelFolder, ModelId + ".onnx"),
                PhrasesPath = Path.Combine(settings.ModelFolder, "phrases.tr.txt"),
            },
            services.GetRequiredService<SpeechWorkerPool>());

    private static ISpeechSynthesizer Synthesizer(HostSettings settings) => settings.SpeechRemote is { } remote
        ? new OpenAiSpeechSynthesizer(new HttpClient(), new OpenAiSpeechOptions { BaseAddress = remote })
        : new EspeakSynthesizer(new EspeakOptions { Program = settings.Espeak, LibraryPath = settings.EspeakLibraryPath, DataPath = settings.EspeakDataPath });

    private static IVoiceActivityDetectorFactory Ears(HostSettings settings, ILogger logger)
    {
        try
        {
            return new SileroVadFactory(OnnxRuntime.Load(Native(settings)), Path.Combine(settings.NativeFolder, "silero_vad.onnx"));
        }
        catch (SpeechEngineException e)
        {
            logger.LogWarning("Silero voice activity detection is not to be had, energy takes its place: {Why}", e.Message);
            return new EnergyVadFactory();
        }
    }

    private static string Native(HostSettings settings) => Path.Combine(settings.NativeFolder, "libonnxruntime.so");
}

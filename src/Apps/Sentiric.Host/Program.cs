using Sentiric.Host;
using Sentiric.Host.Settings;
using Sentiric.Sip;
using Sentiric.Speech;

// 0: stopped as asked; 2: a setting is wrong; 3: something that is needed cannot be had. The reason stands on stderr, in one sentence.
try
{
    if (StoreScripts.Of(args, Environment.GetEnvironmentVariable) is { } script)
    {
        await Console.Out.WriteAsync(script);
        return 0;
    }

    var app = Composition.Build(args);
    await app.RunAsync();
    return 0;
}
catch (SettingsException e)
{
    await Console.Error.WriteLineAsync("sentiric: " + e.Message);
    return 2;
}
catch (Exception e) when (e is SipListenException or SpeechEngineException or StartException or IOException)
{
    await Console.Error.WriteLineAsync("sentiric: cannot start: " + e.Message);
    return 3;
}

/// <summary>Named so that tests can start the host in their own process.</summary>
public partial class Program;

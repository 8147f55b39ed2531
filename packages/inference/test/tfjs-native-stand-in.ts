/** What @tensorflow/tfjs-node exports, with the backend in plain JavaScript under the native one's name. */
import tf from "@tensorflow/tfjs";

tf.copyRegisteredKernels("cpu", "tensorflow");
tf.registerBackend("tensorflow", tf.findBackendFactory("cpu"));

export default tf;

/** What the SDK for Python does without a platform. */
import { pytestFile } from "./support/pytest.ts";

pytestFile("test_vectors.py");
pytestFile("test_image.py");
pytestFile("test_same_definition.py");
pytestFile("test_same_refusals.py");
pytestFile("test_address.py");
pytestFile("test_client.py");
pytestFile("test_follow.py");
pytestFile("test_examples.py");
pytestFile("test_progress.py");
pytestFile("test_failure.py");
pytestFile("test_reference.py");
pytestFile("test_app.py");
pytestFile("test_values.py");
pytestFile("test_synchronize.py");
